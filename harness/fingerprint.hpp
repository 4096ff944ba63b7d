#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace loopbench {

/// Of an environment (`read_environment`) what must be alike for two recordings to be comparable:
/// kernel, processor, its governor and mitigations, limits of the control group, … What changes
/// from hour to hour (load, frequency), from boot to boot or by permission is left out.
nlohmann::json fingerprint(const nlohmann::json& environment);

/// In what two fingerprints differ, a line each, also in what was added to both: "kernel: was
/// Linux 6.1.0, is Linux 6.18.4". What only one of them has was recorded by another version, and
/// says nothing.
std::vector<std::string> differences(const nlohmann::json& then, const nlohmann::json& now);

}  // namespace loopbench
