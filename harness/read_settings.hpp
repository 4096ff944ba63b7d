#pragma once

#include "harness/catalogue.hpp"
#include "harness/cli.hpp"
#include "harness/settings.hpp"
#include "results/margin.hpp"

namespace loopbench {

/// What the measuring flags say, over `usual`. Throws UsageError.
Settings read_settings(const CommandLine& line, const Catalogue& catalogue,
                       const Settings& usual = {});

/// The usual settings of a gate: a minute a case, until everything is decided.
Settings gate_settings();

/// Those of a sitting of a baseline: a minute a case, until the ratio is known to half a percent.
Settings sitting_settings();

/// The metrics of `--metrics`; empty when it was not given. Throws UsageError.
std::vector<std::string> read_metrics(const CommandLine& line);

/// The margins of `--margin METRIC=PERCENT,…`. Throws UsageError.
Margins read_margins(const CommandLine& line);

/// The address that `--FLAG` gives, in its usual form; throws UsageError when it is none.
std::string read_address(const std::string& flag, const std::string& text);

}  // namespace loopbench
