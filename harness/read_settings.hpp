#pragma once

#include "harness/catalogue.hpp"
#include "harness/cli.hpp"
#include "harness/settings.hpp"

namespace loopbench {

/// What the measuring flags say, over the defaults. Throws UsageError.
Settings read_settings(const CommandLine& line, const Catalogue& catalogue);

/// The address that `--FLAG` gives, in its usual form; throws UsageError when it is none.
std::string read_address(const std::string& flag, const std::string& text);

}  // namespace loopbench
