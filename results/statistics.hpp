#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "results/result.hpp"

namespace loopbench {

// The estimates and tests of comparisons over blocks. Values must be finite; a confidence lies in
// (0, 1). Nothing here is random, and an answer depends on its arguments only.
//
// [HW] Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd edition, chapter 3.

/// An interval that covers the true value with probability `confidence`: at least the one asked
/// for, and usually above it, since ranks are discrete. It serves as a plain `Interval` where only
/// that is wanted.
struct ConfidenceInterval : Interval {
    double confidence = 0;
};

/// The middle value, or the mean of the middle two. At least one value.
double median(std::span<const double> values);

/// The standard deviation of a sample: sqrt(Σ(x - mean)² / (n - 1)). At least two values.
double standard_deviation(std::span<const double> values);

/// A distribution-free interval of the median from the order statistics x(k) and x(n+1-k), k the
/// largest with P(B <= k-1) <= (1-confidence)/2 for B ~ binomial(n, 1/2) ([HW] 3.6). Independent
/// values, any distribution. Nothing when n is too small: below 6 at 95%.
std::optional<ConfidenceInterval> median_interval(std::span<const double> values,
                                                  double confidence = 0.95);

/// The Hodges–Lehmann estimate of the pseudomedian: the median of the n(n+1)/2 Walsh averages
/// (x_i + x_j)/2, i <= j ([HW] 3.2). At least one value.
double hodges_lehmann(std::span<const double> values);

/// The interval of the pseudomedian that belongs to the Wilcoxon signed-rank test (Tukey;
/// [HW] 3.3): the k-th smallest and the k-th largest Walsh average, k the largest with P(W <= k-1)
/// <= (1-confidence)/2. Independent values from a symmetric distribution. W's distribution is exact
/// up to `exact_signed_rank_limit` values, then normal with continuity correction; with ties the
/// interval is conservative. Nothing when n is too small: see `signed_rank_values_needed`.
std::optional<ConfidenceInterval> signed_rank_interval(std::span<const double> values,
                                                       double confidence = 0.95);

inline constexpr std::size_t exact_signed_rank_limit = 200;

/// The least n for which `signed_rank_interval` and `median_interval` exist, the same for both as
/// their widest intervals miss with probability 2 * 2^-n: 6 at 95%, 8 at 99%.
std::size_t signed_rank_values_needed(double confidence);

/// What the test is to find, of the values against the shift.
enum class Alternative : std::uint8_t { less, greater, two_sided };

/// p-value of the Wilcoxon signed-rank test that the values are symmetric about `shift` ([HW] 3.1).
/// Values equal to `shift` are left out (Wilcoxon's own rule); tied differences share the mean of
/// their ranks, and W's distribution is the exact one given these ranks (all 2^n signs alike). The
/// limit and the approximation beyond it are those of `signed_rank_interval`. 1 when nothing is
/// left.
double signed_rank_p_value(std::span<const double> values, double shift, Alternative alternative);

/// p-values adjusted by Holm's step-down method, in the order given: rejecting those at most α
/// keeps the chance of any false rejection at most α, whatever their dependence (Holm 1979,
/// Scandinavian Journal of Statistics 6, 65–70).
std::vector<double> holm(std::span<const double> p_values);

/// The correlation of a series with itself one step on: Σ(x_t - m)(x_t+1 - m) / Σ(x_t - m)² with
/// the mean m of the series (Box, Jenkins: Time Series Analysis, 2.1.5). Nothing with fewer than
/// three values or when all are equal.
std::optional<double> lag1_autocorrelation(std::span<const double> values);

/// What one arm spent and did in one block.
struct BlockSum {
    double amount = 0;      ///< of what is compared: nanoseconds, calls, …
    double operations = 0;  ///< that it was spent on
    bool operator==(const BlockSum&) const = default;
};

/// The blocks two by two, for blocks that are correlated; the last three become one when their
/// number is odd, so that nothing is dropped. A single block stays as it is.
std::vector<BlockSum> merge_adjacent(std::span<const BlockSum> blocks);

/// ln of (arm's amount per operation / reference's), block by block; both have the same blocks.
/// Nothing when a total is not positive: then there is no ratio.
std::optional<std::vector<double>> log_ratios(std::span<const BlockSum> arm,
                                              std::span<const BlockSum> reference);

/// Log-ratios that can be taken as independent.
struct BlockRatios {
    std::vector<double> log_ratios;
    bool merged = false;  ///< of two blocks each, since single ones were correlated
};

/// Above this lag-1 correlation of the log-ratios, adjacent blocks are merged.
inline constexpr double merging_correlation = 0.2;

/// `log_ratios`, of adjacent blocks merged, once, when single ones are correlated: the variance of
/// a mean of correlated values is more than that of independent ones, and larger batches are less
/// correlated (batch means: Law, Simulation Modeling and Analysis, chapter 9).
std::optional<BlockRatios> independent_log_ratios(std::span<const BlockSum> arm,
                                                  std::span<const BlockSum> reference);

/// A ratio over blocks.
struct RatioEstimate {
    double ratio = 1;
    std::optional<ConfidenceInterval> interval;  ///< nothing with too few blocks
    std::size_t n = 0;
};

/// The exponentials of the Hodges–Lehmann estimate of the log-ratios and of its signed-rank
/// interval: a ratio whose interval is the same read from either side. At least one value.
RatioEstimate ratio_interval(std::span<const double> log_ratios, double confidence = 0.95);

}  // namespace loopbench
