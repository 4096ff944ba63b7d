#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/arm.hpp"
#include "harness/placement.hpp"
#include "harness/sut_process.hpp"
#include "harness/workload_parameters.hpp"

namespace loopbench {

/// An arm that was found, asked what it is, and can be measured.
struct ReadyArm {
    ArmSpec spec;
    std::filesystem::path program;
    nlohmann::json description = nlohmann::json::object();  ///< its answer to `describe`
    std::string target;  ///< of a foreign server: its address; `program` is empty then
};

/// How is measured: the flags that all measuring commands share.
struct Settings {
    std::chrono::nanoseconds budget{std::chrono::seconds(30)};  ///< of a case, all it takes
    double precision = 0.02;  ///< relative half-width at which measuring stops early; 0: never
    std::optional<std::chrono::nanoseconds>
        slice;  ///< at the least; else the placement's usual one
    std::optional<int> blocks;
    std::optional<int> slices;
    std::uint64_t slice_rounds = 0;  ///< exact work in a slice instead of a time; 0: the time
    std::uint64_t seed = 1;          ///< below 2^53
    Processors processors;
    std::vector<std::string> sut_prefix;     ///< words put before the SUT's program
    std::vector<std::string> driver_prefix;  ///< likewise the driver's
    std::string listen;                      ///< where SUTs listen; empty: chosen
    Patience patience;
    std::filesystem::path driver_program;
    std::filesystem::path allocation_counter;  ///< library to preload; empty: not found
};

/// One workload with its parameters, and the arms that are measured on it side by side.
struct CasePlan {
    WorkloadInfo workload;
    nlohmann::json params;
    std::vector<ReadyArm> arms;
    std::vector<std::pair<std::string, std::string>>
        not_offered;                       ///< other arms, and why they are not
    std::optional<std::size_t> reference;  ///< the arm that the others are compared with
    std::vector<Placement> placements;
    std::vector<std::string> judged;       ///< metrics that are, beside the usual comparisons
    bool count_syscalls_by_block = false;  ///< in each block anew, where they are to be judged
    /// Where a rate that was given in percent comes from (harness/offered_rate.hpp); else null.
    nlohmann::json offered_rate;
};

}  // namespace loopbench
