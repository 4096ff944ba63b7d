#pragma once

#include <string>

#include "harness/settings.hpp"
#include "results/result.hpp"

namespace loopbench {

/// The result of `run` and `drive` for people: what was measured, one row a metric, one column a
/// placement (with a reference: one table a placement), how it was measured, and why a figure is
/// missing.
std::string format_report(const ResultFile& result, const CasePlan& plan);

/// The self-checks' findings, a line each, with their remedies; empty when there are none.
std::string format_warnings(const ResultFile& result);

}  // namespace loopbench
