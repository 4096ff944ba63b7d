#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/measure.hpp"
#include "results/result.hpp"

namespace loopbench {

/// What warnings call the cell of an arm: "echo on uv, split".
std::string cell_name(const std::string& workload, const std::string& arm,
                      std::string_view placement);

/// In lockstep, operations a turn of two arms may differ by this share and count as the same load.
inline constexpr double batch_tolerance = 0.05;

/// Why an arm's turns cannot serve a whole round of the case, or empty.
std::string why_capped(const CasePlan& plan, const ReadyArm& arm);

/// What bears on every figure: builds with assertions or sanitizers, other load on the machine, the
/// governor, the number of processors.
std::vector<Warning> check_conditions(const CasePlan& plan, const Settings& settings);

/// What the samples of one placement themselves tell against their figures: a saturated driver,
/// pre-empted rounds, connections without traffic, a processor that was not to be had.
std::vector<Warning> check_samples(const CasePlan& plan, const PlacementSamples& samples);

}  // namespace loopbench
