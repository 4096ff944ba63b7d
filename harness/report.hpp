#pragma once

#include <string>
#include <vector>

#include "harness/measure.hpp"
#include "results/result.hpp"

namespace loopbench {

/// The result of `run` and `drive` for people: what was measured, one row a metric, one column a
/// placement (with a reference: one table a placement), how it was measured, and why a figure is
/// missing.
std::string format_report(const ResultFile& result, const MeasuredCase& measured);

/// The parameters of a case in one line: "connections 64 · size 64 · …".
std::string format_parameters(const CasePlan& plan);

/// How a placement of a case was measured, in one line.
std::string format_method(const ResultFile& result, const CasePlan& plan,
                          const PlacementSamples& samples);

/// The self-checks' findings, a line each, with their remedies; empty when there are none.
std::string format_warnings(const ResultFile& result);

}  // namespace loopbench
