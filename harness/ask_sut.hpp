#pragma once

#include <nlohmann/json.hpp>

#include "harness/catalogue.hpp"
#include "harness/signals.hpp"

namespace loopbench {

/// What a SUT says of itself, by starting it; or "available": false and the reason when it cannot
/// even tell.
nlohmann::json ask_sut(const FoundProgram& sut, const StopSignals& signals);

}  // namespace loopbench
