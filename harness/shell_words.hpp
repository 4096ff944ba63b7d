#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace loopbench {

/// Splits the value of `flag` into words as the shell does, quotes, backslashes and variables
/// included, but runs no command. Throws UsageError for what the shell could not read.
std::vector<std::string> split_shell_words(std::string_view flag, const std::string& text);

}  // namespace loopbench
