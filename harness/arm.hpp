#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace loopbench {

/// One SUT configuration as the user names it: `NAME[+key=value…]` or `exec:PATH[+key=value…]`.
struct ArmSpec {
    std::string id;    ///< as written; what tables and results call it
    std::string name;  ///< the loop or reference; for `exec:` the program's file name
    std::optional<std::filesystem::path> program;  ///< of `exec:PATH`
    std::map<std::string, std::string> keys;       ///< passed to the SUT's `describe` and `setup`
};

/// Reads an arm. Throws UsageError, which names `flag`, when `text` has not that form.
ArmSpec parse_arm(std::string_view flag, std::string_view text);

}  // namespace loopbench
