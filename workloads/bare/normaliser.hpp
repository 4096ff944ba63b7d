#pragma once

// The reference `normaliser`: a fixed loop of integer work and memory accesses, the yardstick of
// the in-process workloads: how fast is this processor just now? It is offered under their names,
// so that it can be measured beside them in the same blocks; one operation is one iteration.
//
// Frozen, as bare.hpp says.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workloads/cpu_clock.hpp"
#include "workloads/idle_host.hpp"
#include "workloads/pingpong.hpp"
#include "workloads/registry.hpp"
#include "workloads/storm.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

class NormaliserHost : public IdleHost {
  public:
    using IdleHost::IdleHost;

    static LoopDescription describe() {
        LoopDescription description;
        description.name = "normaliser";
        description.library = "none";
        description.version = "1";
        description.notes = {
            {"work", "an iteration mixes an integer and swaps it with one of 32768 in a table"},
            {"parameters", "those of the workload are read and change nothing"}};
        description.settable_poll_interval = false;
        return description;
    }
};

/// Each iteration depends on the one before: by its integer, and by what lay in the table (256 KiB:
/// beyond the first cache, within the second).
class Normaliser final : public Workload {
  public:
    Normaliser() : table_(32768) {
        for (std::size_t i = 0; i < table_.size(); ++i) table_[i] = i;
    }

    std::string set_up() override { return {}; }

    WorkloadCounters counters() const override {
        return {.operations = operations_, .task_switches = operations_};
    }

    SliceReport slice(std::uint64_t operations) override {
        const auto began = std::chrono::steady_clock::now();
        const auto cpu_began = thread_cpu_time();
        iterate(operations);
        const auto cpu = thread_cpu_time() - cpu_began;
        SliceReport result;
        result.elapsed = std::chrono::steady_clock::now() - began;
        result.operations = operations;
        operations_ += operations;
        result.metrics.emplace_back("cpu_ns_per_switch", static_cast<double>(cpu.count()) /
                                                             static_cast<double>(operations));
        check();
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    void iterate(std::uint64_t times) noexcept {
        std::uint64_t* const table = table_.data();
        std::uint64_t state = state_;
        std::uint64_t parity = parity_;
        for (; times > 0; --times) {
            // The finalizer of SplitMix64 (Steele, Lea, Flood, 2014), on the last iteration's
            // value.
            std::uint64_t mixed = state + 0x9e3779b97f4a7c15;
            mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
            mixed ^= mixed >> 31;
            std::uint64_t& place = table[mixed % 32768];
            state = place;
            place = mixed;
            parity ^= mixed ^ state;
        }
        state_ = state;
        parity_ = parity;
    }

    /// What was put into the table and what was taken out tell what must lie there now.
    void check() {
        std::uint64_t expected = parity_;
        for (std::size_t i = 0; i < table_.size(); ++i) expected ^= i ^ table_[i];
        if (expected != 0) check_.fail("the table does not hold what was put there");
    }

    std::vector<std::uint64_t> table_;
    std::uint64_t state_ = 1;
    std::uint64_t parity_ = 0;  // of all that went in and came out
    std::uint64_t operations_ = 0;
    SelfCheck check_;
};

/// Their parameters are checked all the same: a mistake in them is one for every arm.
inline std::unique_ptr<Workload> normaliser_for_timers(NormaliserHost&,
                                                       const WorkloadSetup& setup) {
    static_cast<void>(storm_parameters(setup.params));
    return std::make_unique<Normaliser>();
}
inline std::unique_ptr<Workload> normaliser_for_ping_pong(NormaliserHost&,
                                                          const WorkloadSetup& setup) {
    static_cast<void>(ping_pong_parameters(setup.params));
    return std::make_unique<Normaliser>();
}

template <>
inline constexpr auto workload_list<NormaliserHost> = std::to_array<WorkloadEntry<NormaliserHost>>({
    {"timers", &normaliser_for_timers},
    {"pingpong", &normaliser_for_ping_pong},
});

}  // namespace loopbench
