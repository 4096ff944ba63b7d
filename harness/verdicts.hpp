#pragma once

#include <deque>
#include <string>
#include <vector>

#include "harness/campaign.hpp"
#include "results/margin.hpp"
#include "results/result.hpp"

namespace loopbench {

/// ln(arm / reference) of a metric by blocks, turned so that above 0 is worse, ready for a test:
/// adjacent blocks are merged when they are correlated.
struct WorseRatios {
    std::vector<double> log_ratios;
    bool merged = false;
    double level = 0;           ///< the reference's median and the metric's offset
    bool rare_costs = false;    ///< the totals tell another ratio than the slices do
    std::vector<double> shown;  ///< ln(arm / reference) without offset and as it is, for people;
                                ///< empty when a value is 0
};

/// The absolute part of the metric's default margin is an offset that is added to both sides, which
/// keeps counts that may be zero comparable; whatever the `margin`.
WorseRatios worse_ratios(const CasePlan& plan, const PlacementSamples& samples,
                         const std::string& metric, const Margin& margin, std::size_t arm);

/// Why nothing can be said of the arm against the reference in `metric`, whatever the figures:
/// "no verdict: shared queue" or "unclear: generator-bound"; empty when something can.
std::string why_no_verdict(const CasePlan& plan, const PlacementSamples& samples, std::size_t arm,
                           const std::string& metric);

/// Why two builds of one loop cannot be judged in `metric`, or empty. What makes two loops unlike
/// (their batches, whose queue it is) is no reason between two builds: it may be the very change.
std::string why_not_gated(const CasePlan& plan, const PlacementSamples& samples, std::size_t arm,
                          const std::string& metric);

/// The metrics that are judged in a placement: those of `wanted` that it has, or the main one.
std::vector<std::string> judged_metrics(const std::vector<std::string>& wanted,
                                        const CasePlan& plan, Placement placement);

/// Gives the comparisons of the judged metrics their verdicts, Holm over all of them. Blocks that
/// were merged are told among the warnings.
void add_verdicts(ResultFile& result, const std::deque<MeasuredCase>& cases,
                  const std::vector<std::string>& metrics, const Margins& margins);

}  // namespace loopbench
