#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "harness/catalogue.hpp"
#include "harness/settings.hpp"
#include "harness/signals.hpp"

namespace loopbench {

/// Finds the program of an arm and asks it what it is. Throws UsageError, which names `flag`, when
/// there is no such arm, when it does not know a key, or cannot work on this machine; ProcessError
/// when the program fails.
ReadyArm describe_arm(const ArmSpec& spec, std::string_view flag, const Catalogue& catalogue,
                      const Settings& settings, const StopSignals& signals);

/// Why `arm` cannot take part in the case: it does not offer the workload, or cannot hold that many
/// connections, in words that go on from its name; empty when it can.
std::string why_not_offered(const ReadyArm& arm, const WorkloadInfo& workload,
                            const nlohmann::json& params);

/// Throws UsageError when `arm` does not offer the workload, or cannot hold that many connections.
void check_arm_fits(const ReadyArm& arm, std::string_view flag, const WorkloadInfo& workload,
                    const nlohmann::json& params);

/// Throws UsageError when the driver's program was not found.
void check_driver_found(const Settings& settings);

}  // namespace loopbench
