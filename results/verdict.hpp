#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "results/result.hpp"

namespace loopbench {

// What a table of ratios says: tie, faster, slower, or unclear and why. The chance of any false
// verdict in the whole table is kept below 5% (Holm).

/// One cell of a table: an arm against the reference in one metric of one case.
struct Evidence {
    /// ln(arm / reference) by blocks, turned so that above 0 is worse whatever the metric.
    std::vector<double> log_ratios;
    double log_margin = 0;  ///< a tie is within ±this
    std::string doubt;  ///< why there can be no verdict ("generator-bound"), or empty
};

struct Judgement {
    std::string verdict;                ///< as in `Comparison::verdict`
    double p = 1;                       ///< of the verdict's own claim, before Holm
    double adjusted_p = 1;              ///< after it
    std::optional<Interval> adjusted;   ///< of ln(ratio) at Holm's level, where it decided otherwise
};

/// A difference below this is none, however sure: half a percent.
inline constexpr double log_indifference = 0.005;

/// A verdict for every cell of a table, in its order.
///
/// A cell claims a tie when the 95% signed-rank interval lies within ±log_margin (two one-sided
/// tests: Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15, 657–680), and
/// otherwise a difference when the interval lies wholly outside ±log_indifference. Whatever the
/// true ratio is, at most one of the two is false, so that a cell errs with at most 5%. The claims'
/// p-values are then adjusted over all cells that have evidence; one whose adjusted p is above 5%
/// becomes "unclear: not sure enough among N cells". Cells with a doubt are "unclear: DOUBT" and
/// count among the N no longer.
std::vector<Judgement> judge(std::span<const Evidence> cells);

/// The least number of blocks with which `judge` can reach a verdict on the first of `cells` cells:
/// the smallest two-sided p of n signs is 2^(1-n).
int blocks_for_verdicts(std::size_t cells);

}  // namespace loopbench
