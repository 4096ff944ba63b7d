#pragma once

// Timeout: waits under a time limit, many at once. One operation is one such wait. By outcome,
//  - expires: the inner task waits for what never comes, within 1 to 5 ms;
//  - met: the inner task goes on in the next pass, and the limit of 10 s is given back unused.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "loops/awaitables.hpp"
#include "loops/combinators.hpp"
#include "loops/contract.hpp"
#include "loops/task.hpp"
#include "workloads/parameters.hpp"
#include "workloads/random.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

enum class TimeoutOutcome : std::uint8_t { expires, met };

/// Their names, in the order of `TimeoutOutcome`.
inline constexpr std::array<std::string_view, 2> timeout_outcomes{"expires", "met"};

template <class Loop>
class Timeout final : public Workload {
  public:
    Timeout(Loop& loop, const WorkloadSetup& setup)
        : loop_(loop), random_(setup.seed), never_(loop) {
        const ParameterReader reader(setup.params);
        tasks_ = reader.number("tasks", 100, 1, 1'000'000);
        outcome_ = static_cast<TimeoutOutcome>(reader.choice("outcome", timeout_outcomes));
    }

    std::string set_up() override { return {}; }

    WorkloadCounters counters() const override { return {.operations = operations_}; }

    SliceReport slice(std::uint64_t operations) override {
        const std::uint64_t rounds = (operations + tasks_ - 1) / tasks_;
        cancelled_first_ = 0;
        const auto began = std::chrono::steady_clock::now();
        for (std::uint64_t round = 0; round < rounds; ++round) run_round();
        SliceReport report;
        report.elapsed = std::chrono::steady_clock::now() - began;
        report.operations = rounds * tasks_;
        operations_ += report.operations;
        if (outcome_ == TimeoutOutcome::expires) {
            report.metrics.emplace_back(
                "cancelled_first_share",
                static_cast<double>(cancelled_first_) / static_cast<double>(report.operations));
        }
        return report;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    void run_round() {
        running_ = tasks_;
        for (std::uint64_t i = 0; i < tasks_; ++i) {
            static_cast<void>(
                spawn(loop_, outcome_ == TimeoutOutcome::expires ? expiring(draw_limit()) : met()));
        }
        loop_.run();
    }

    Duration draw_limit() noexcept {
        constexpr std::uint64_t least_ns = 1'000'000;
        constexpr std::uint64_t further_ns = 4'000'000;
        return Duration(least_ns + random_.below(further_ns));
    }

    Task<void> expiring(Duration limit) {
        bool inner_cancelled = false;
        const Result<Done> result =
            co_await with_timeout(loop_, limit, wait_in_vain(inner_cancelled));
        if (!result.timed_out()) check_.fail("a wait that never ends did not time out");
        if (inner_cancelled) ++cancelled_first_;
        one_ended();
    }

    Task<Done> wait_in_vain(bool& cancelled) {
        const Result<> waited = co_await never_.wait();
        cancelled = waited.cancelled();
        if (!waited.ok()) co_return waited.failure();
        co_return Done{};
    }

    Task<void> met() {
        const Result<Done> result =
            co_await with_timeout(loop_, std::chrono::seconds(10), soon_done());
        if (!result.ok()) check_.fail("a task that ended in time was timed out");
        one_ended();
    }

    Task<Done> soon_done() {
        static_cast<void>(co_await yield(loop_));
        co_return Done{};
    }

    void one_ended() noexcept {
        if (--running_ == 0) loop_.stop();
    }

    Loop& loop_;
    std::uint64_t tasks_ = 0;
    TimeoutOutcome outcome_ = TimeoutOutcome::expires;
    FastRandom random_;
    SelfCheck check_;
    Event<Loop> never_;
    std::uint64_t running_ = 0;
    std::uint64_t cancelled_first_ = 0;  // of the slice
    std::uint64_t operations_ = 0;
};

template <class Loop>
std::unique_ptr<Workload> make_timeout(Loop& loop, const WorkloadSetup& setup) {
    return std::make_unique<Timeout<Loop>>(loop, setup);
}

}  // namespace loopbench
