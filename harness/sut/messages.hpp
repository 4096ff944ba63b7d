#pragma once

// The messages of docs/protocol.md, as a SUT reads and writes them.

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "harness/sut/process_counters.hpp"
#include "loops/description.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// What a SUT says of itself before a loop exists.
struct SutFacts {
    std::string_view kind;  ///< "loop" or "reference"
    LoopDescription loop;
    Availability availability;
    std::vector<std::string_view> workloads;
};

/// Reads one line into a message. Throws `MalformedMessage` when it is no JSON object with a
/// `type`.
nlohmann::json parse_message(std::string_view line);
std::string type_of(const nlohmann::json& message);

/// What a `setup` asks for, apart from the workload's parameters.
struct SetupRequest {
    std::string workload;
    std::map<std::string, std::string> keys;
    std::uint64_t seed = 1;
    std::string listen;
};

/// Throws `WorkloadError` for what is missing, of another type, or not among `facts`.
SetupRequest parse_setup(const nlohmann::json& message, const SutFacts& facts);

/// The arm key that every loop takes, besides its own: the form in which a socket workload uses it,
/// instead of the one that the case asks for. So one loop's forms can be measured side by side.
ArmKey form_key();

/// The object of parameters in a `setup`, an empty one if it has none; in the form that the arm
/// keys ask for.
nlohmann::json parse_params(const nlohmann::json& message, const SetupRequest& request);

/// `operations` of a `slice`. Throws `WorkloadError`.
std::uint64_t parse_operations(const nlohmann::json& message);

/// Checks the arm keys against those that the loop takes. Throws `WorkloadError`.
std::map<std::string, std::string> parse_keys(const nlohmann::json& message, const SutFacts& facts);

std::string error_message(std::string_view what, std::string_view remedy);
std::string description_message(const SutFacts& facts);
std::string ready_message(const std::string& address, const std::vector<std::string>& deviations);
std::string done_message(const SliceReport& report);
std::string marked_message(const WorkloadCounters& workload, const ProcessCounters& process,
                           std::uint64_t turns);

}  // namespace loopbench
