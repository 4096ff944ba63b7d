#include "harness/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>

namespace loopbench {
namespace {

/// The optimal string alignment distance (Damerau–Levenshtein without repeated edits of a letter).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

std::string nearest_name(std::string_view wrong, const std::vector<std::string>& candidates) {
    const std::size_t allowed = std::max<std::size_t>(2, wrong.size() / 3);
    std::string best;
    std::size_t best_distance = allowed + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(wrong, candidate);
        // Two edits turn any word of two letters into any other: that is no misspelling.
        if (distance < best_distance && distance < std::max(wrong.size(), candidate.size())) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string suggestion(std::string_view wrong, const std::vector<std::string>& candidates) {
    if (candidates.empty()) return "there is none";
    const std::string near = nearest_name(wrong, candidates);
    if (!near.empty()) return fmt::format("did you mean {}?", near);
    return fmt::format("{}{}", candidates.size() > 1 ? "one of " : "there is only ",
                       fmt::join(candidates, ", "));
}

}  // namespace loopbench
