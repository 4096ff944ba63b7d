#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/measure.hpp"
#include "results/result.hpp"

namespace loopbench {

// From slices to figures. A block's value of a metric is a ratio of totals over its valid slices (a
// median over slices would hide rare costs); a figure is the median over blocks with the interval
// of the order statistics; a ratio of two arms is estimated from the log-ratios of their blocks,
// which pairing.hpp takes.

/// Everything that is known of arm number `arm` in one placement.
Case compute_case(const CasePlan& plan, const PlacementSamples& samples, std::size_t arm);

/// Every other arm against the reference, for the metrics that a comparison is about; without
/// verdicts. Empty without a reference.
std::vector<Comparison> compute_comparisons(const CasePlan& plan, const PlacementSamples& samples);

/// The metric that `--precision` and the headline are about: throughput in split placement.
std::string main_metric(const CasePlan& plan, Placement placement);

/// The relative half-width of the 95% interval of the main metric: with a reference the widest
/// of the arms' ratios to it. Nothing while an interval is missing.
std::optional<double> reached_precision(const CasePlan& plan, const PlacementSamples& samples);

}  // namespace loopbench
