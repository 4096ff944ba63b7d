#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "harness/measure.hpp"
#include "results/result.hpp"

namespace loopbench {

/// The head of a result: what its cases are measured with, where and how; no figure yet, and not
/// complete.
ResultFile compose_head(const std::vector<CasePlan>& plans, const Settings& settings);

/// Computes every figure of `measured` into `result`, with the self-checks' findings.
void compose_figures(ResultFile& result, const CasePlan& plan,
                     const std::vector<PlacementSamples>& measured);

}  // namespace loopbench
