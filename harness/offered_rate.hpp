#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "harness/settings.hpp"
#include "harness/signals.hpp"

namespace loopbench {

/// Whether these parameters ask for an open loop: messages by schedule, at a `rate`.
bool is_open_loop(const nlohmann::json& params);

/// What `--placement` means with these parameters: an open loop is measured in split placement
/// only. `wanted` is what was said, or empty. Throws UsageError, which names `--rate`, when that
/// cannot be.
std::string placement_with_rate(const std::string& wanted, const nlohmann::json& params,
                                const Processors& processors);

/// Makes the rate of an open loop a number of operations a second, the same for all arms of the
/// plan, and checks that slices at it are not endless. Of a rate in percent, the maximum is
/// measured first: what each arm does in a closed loop in split placement, of which the slowest
/// counts. Afterwards `plan.params["rate"]` is a number, and `plan.offered_rate` says where it
/// comes from. Without an open loop it does nothing. Throws UsageError, ProcessError and
/// Interrupted.
void settle_offered_rate(CasePlan& plan, const Settings& settings, const StopSignals& signals);

/// One line for a report on how the rate was settled; empty when it was given as a number.
std::string describe_offered_rate(const CasePlan& plan);

}  // namespace loopbench
