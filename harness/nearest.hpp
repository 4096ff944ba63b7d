#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace loopbench {

/// The candidate that `wrong` is most likely a misspelling of: the least number of inserted,
/// deleted, replaced or swapped letters, at most a third of the word's length and at least 2. Empty
/// when none is that near.
std::string nearest_name(std::string_view wrong, const std::vector<std::string>& candidates);

/// The end of an error line: "did you mean uv?", or else "one of epoll, uv".
std::string suggestion(std::string_view wrong, const std::vector<std::string>& candidates);

}  // namespace loopbench
