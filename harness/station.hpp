#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "harness/counters.hpp"
#include "harness/disturbance.hpp"
#include "harness/driver_process.hpp"
#include "harness/hardware_counter.hpp"
#include "harness/sample.hpp"
#include "harness/settings.hpp"
#include "harness/syscall_counter.hpp"

namespace loopbench {

/// How much a slice does.
struct Work {
    SliceWork driven;              ///< socket workloads
    std::uint64_t operations = 0;  ///< in-process workloads
    std::chrono::nanoseconds expected{0};
};

/// A slice and what was counted over it alone.
struct CountedSlice {
    SliceSample slice;
    StretchCounts counts;
};

/// How a station differs from another of the same arm.
struct StationOptions {
    Placement placement = Placement::lockstep;
    std::uint64_t seed = 1;
    std::size_t padding = 0;
    std::string listen;  ///< empty for in-process workloads
    bool count_syscalls = false;
    bool count_allocations = false;
};

/// An arm ready to run: a fresh SUT, and in socket workloads a fresh driver connected to it. Errors
/// are those of Conversation; the driver's name the arm.
class Station {
  public:
    /// Starts the processes, sets the workload up and connects.
    Station(const CasePlan& plan, const ReadyArm& arm, const Settings& settings,
            const StationOptions& options, const StopSignals& signals);

    /// Works without being measured.
    SliceAnswer work(const Work& work);

    /// One timed slice: a short untimed lead-in, which brings the caches back that other arms took
    /// (a SUT that works inside its process makes its own), then the work between two looks at the
    /// counters that cost a system call each.
    ///
    /// With `watch`, on the processors that the station uses, it is invalid when something else
    /// disturbed it; null where that is not wanted or cannot be told.
    SliceSample slice(const Work& work, PairDisturbanceReader* watch = nullptr);

    /// Everything that is done between these two is counted, by `mark` and the files of /proc.
    void begin_counting();
    StretchCounts end_counting();

    /// A slice, counted by itself.
    CountedSlice count(const Work& work);

    /// Whether a driver sets the work, and not a number of operations.
    bool is_driven() const noexcept { return driver_ != nullptr; }

    /// Notes the memory in use with everything connected and warm.
    void note_loaded();

    /// CPU time of the SUT so far; 0 where it cannot be read from outside, or no more.
    std::uint64_t cpu_ns() const;
    /// Whether the SUT sleeps; true where it cannot be seen from outside.
    bool asleep() const;
    /// System calls of the SUT since its start.
    std::optional<std::uint64_t> syscalls() const;
    const std::string& no_syscall_counter() const noexcept { return syscall_counter_->reason(); }
    const std::string& no_hardware_counter() const noexcept { return no_hardware_counter_; }
    std::vector<std::string> deviations() const;

    /// Asks both processes to quit; what was found out about the SUT's life.
    ProcessFacts finish();

  private:
    void start_sut(const CasePlan& plan, const ReadyArm& arm, const Settings& settings,
                   const StationOptions& options, const StopSignals& signals);
    void start_driver(const CasePlan& plan, const ReadyArm& arm, const Settings& settings,
                      const StationOptions& options, const StopSignals& signals);
    void find_process(const Settings& settings);
    SliceSample timed(const Work& work, PairDisturbanceReader* watch);
    void lead_in(const Work& work);
    /// Reads a counter of the SUT's process; when that is gone, throws how it ended.
    template <class Read>
    auto or_say_how_it_ended(const Read& read);
    std::optional<std::uint64_t> outer_cpu_ns();
    std::optional<ExternalCounters> read_external();

    Placement placement_;
    std::string address_;
    std::optional<SyscallCounter> syscall_counter_;
    std::optional<HardwareCounter> hardware_counter_;
    std::string no_hardware_counter_;
    std::unique_ptr<SutProcess> sut_;  ///< null with a foreign server
    std::unique_ptr<DriverProcess> driver_;
    std::optional<pid_t> measured_pid_;  ///< nothing when the SUT runs elsewhere
    std::optional<CounterReader> counters_;
    std::optional<Ticks> ticks_before_;
    StretchCounts stretch_;  ///< what was counted when it began, and done since
    std::optional<ExternalCounters> external_before_;
    ProcessFacts facts_;
};

}  // namespace loopbench
