#pragma once

// The reference `null`: in-process work that completes at once. What is measured of it is what the
// harness itself costs.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "workloads/idle_host.hpp"
#include "workloads/pingpong.hpp"
#include "workloads/registry.hpp"
#include "workloads/storm.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

class NullHost : public IdleHost {
  public:
    using IdleHost::IdleHost;

    static LoopDescription describe() {
        LoopDescription description;
        description.name = "null";
        description.library = "none";
        description.version = LOOPBENCH_VERSION;
        description.notes = {{"work", "none: a slice of any number of operations ends at once"},
                             {"parameters", "those of the workload are read and change nothing"}};
        description.settable_poll_interval = false;
        return description;
    }
};

class NullWork final : public Workload {
  public:
    std::string set_up() override { return {}; }

    WorkloadCounters counters() const override {
        return {.operations = operations_, .task_switches = operations_};
    }

    SliceReport slice(std::uint64_t operations) override {
        const auto began = std::chrono::steady_clock::now();
        operations_ += operations;
        SliceReport result;
        result.operations = operations;
        result.elapsed = std::chrono::steady_clock::now() - began;
        return result;
    }

    const std::optional<std::string>& mistake() const override { return none_; }

  private:
    std::uint64_t operations_ = 0;
    std::optional<std::string> none_;
};

inline std::unique_ptr<Workload> null_timers(NullHost&, const WorkloadSetup& setup) {
    static_cast<void>(storm_parameters(setup.params));
    return std::make_unique<NullWork>();
}
inline std::unique_ptr<Workload> null_ping_pong(NullHost&, const WorkloadSetup& setup) {
    static_cast<void>(ping_pong_parameters(setup.params));
    return std::make_unique<NullWork>();
}

template <>
inline constexpr auto workload_list<NullHost> = std::to_array<WorkloadEntry<NullHost>>({
    {"timers", &null_timers},
    {"pingpong", &null_ping_pong},
});

}  // namespace loopbench
