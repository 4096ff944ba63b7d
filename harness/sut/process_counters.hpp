#pragma once

#include <cstdint>
#include <optional>

namespace loopbench {

/// What this process has used so far, in all its threads.
struct ProcessCounters {
    std::uint64_t cpu_ns = 0;
    std::uint64_t voluntary_switches = 0;
    std::uint64_t involuntary_switches = 0;
    std::optional<std::uint64_t> allocations;  ///< only with the allocation counter preloaded
};

/// Without `allocations`.
ProcessCounters process_counters() noexcept;

/// Allocations by this process, as counted by the preloaded library of `allocation_counter.cpp`;
/// nothing when it is not there. Those inside a `ControlWork` are not among them.
std::optional<std::uint64_t> counted_allocations() noexcept;

/// While one exists, the process is busy with the control protocol: what it allocates is not the
/// workload's and is not counted. They do not nest.
class ControlWork {
  public:
    ControlWork() noexcept;
    ~ControlWork();
    ControlWork(const ControlWork&) = delete;
    ControlWork& operator=(const ControlWork&) = delete;
};

}  // namespace loopbench
