#pragma once

#include <nlohmann/json.hpp>

#include "harness/system_files.hpp"

namespace loopbench {

/// What of this machine bears on the figures, for the result file: kernel, processor, governor,
/// virtualisation, mitigations, memory, limits of the control group, … What cannot be read is null.
nlohmann::json read_environment(const SystemFiles& files = SystemFiles());

}  // namespace loopbench
