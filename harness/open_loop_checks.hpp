#pragma once

#include <string>
#include <vector>

#include "harness/sample.hpp"
#include "results/result.hpp"

namespace loopbench {

/// What the samples of an arm in an open loop tell against its figures; `cell` names it. Nothing of
/// a closed loop.
///
/// A server that did not keep up with the schedule, by more than 1%, has neither a latency nor a
/// throughput at that rate: they depend on how long one measured. And a driver that sends late adds
/// its own delay to every latency, which is counted from the schedule: where that is more than half
/// of a percentile it is void, where it is more than a tenth that is said.
void check_open_loop(std::vector<Warning>& warnings, const ArmSamples& arm,
                     const std::string& cell);

}  // namespace loopbench
