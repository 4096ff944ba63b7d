#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "results/result.hpp"

namespace loopbench {

// What a table of ratios says: tie, faster, slower, or unclear and why. In the whole table the
// chance of any false `faster` or `slower` is at most 5%, and that of any false `tie` at most 2.5%.

/// One cell of a table: an arm against the reference in one metric of one case.
struct Evidence {
    /// ln(arm / reference) by blocks, turned so that above 0 is worse whatever the metric.
    std::vector<double> log_ratios;
    double log_margin = 0;  ///< a tie is within ±this
    std::string doubt;      ///< why there can be no verdict ("generator-bound"), or empty
};

struct Judgement {
    std::string verdict;    ///< as in `Comparison::verdict`
    double p = 1;           ///< of the claim that the 95% interval makes; 1 without one
    double adjusted_p = 1;  ///< by Holm's method over the table
    std::optional<Interval> adjusted =
        {};  ///< of ln(ratio) at Holm's level, where it decided otherwise
};

/// A difference below this is none, however sure: half a percent.
inline constexpr double log_indifference = 0.005;

/// A verdict for every cell of a table, in its order.
///
/// A cell claims a tie when the 95% signed-rank interval lies within ±log_margin (two one-sided
/// tests: Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15, 657–680), and
/// otherwise a difference when the interval lies wholly outside ±log_indifference. A claim's
/// p-value is that of the widest interval that still makes it: twice the one-sided p of the end.
///
/// These p-values are adjusted by Holm's method over all cells that have evidence, all ties for
/// themselves and all differences for themselves. In one family it would not hold: Holm's method
/// lets a cell that is decided make room for the others because a true hypothesis cannot be
/// decided against, but a cell can always be decided the right way here and still be at risk of
/// being decided the wrong way. A claim whose adjusted p is above 5% becomes "unclear: not sure
/// enough among N cells". Cells with a doubt are "unclear: DOUBT" and are not among the N.
std::vector<Judgement> judge(std::span<const Evidence> cells);

/// The least number of blocks with which `judge` can reach a verdict on the first of `cells` cells:
/// the smallest two-sided p of n signs is 2^(1-n).
int blocks_for_verdicts(std::size_t cells);

/// Whether some of the cost comes so seldom that the typical slice does not show it. `gaps` holds,
/// block by block, ln of the ratio of totals less ln of that of the slices: the 95% interval of
/// their mean (Student's) lies wholly beyond half the margin. Of the mean and not of the
/// pseudomedian, which does not see what happens in few blocks either. (An estimate alone would not
/// do: on a noisy machine the totals scatter by more than that.)
bool has_rare_costs(std::span<const double> gaps, double log_margin);

}  // namespace loopbench
