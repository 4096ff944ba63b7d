#pragma once

#include <time.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "results/histogram.hpp"
#include "workloads/bare/host.hpp"
#include "workloads/cpu_clock.hpp"
#include "workloads/random.hpp"
#include "workloads/storm.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// The floor of the timer storm (workloads/timers.hpp): the same timers in the same order with the
/// same deadlines, each touched once for each handling, without anything that would keep them in
/// order. A round sleeps once, until the last of its near timers is due, and then takes them all.
class BareTimers final : public Workload {
  public:
    BareTimers(BareHost&, const WorkloadSetup& setup)
        : storm_(storm_parameters(setup.params)), random_(setup.seed), timers_(storm_.pending) {
        order_.reserve(timers_.size());
        for (BareTimer& timer : timers_) order_.push_back(&timer);
        for (std::size_t i = order_.size(); i > 1; --i) {
            std::swap(order_[i - 1], order_[random_.below(i)]);
        }
    }

    std::string set_up() override {
        now_ = Clock::now();
        for (std::size_t i = storm_.expiries; i < order_.size(); ++i) start_far(*order_[i]);
        return {};
    }

    WorkloadCounters counters() const override { return {.operations = operations_}; }

    SliceReport slice(std::uint64_t operations) override {
        for (Phase* phase : {&starts_, &cancels_, &expiries_}) *phase = {};
        lateness_.clear();
        const std::uint64_t rounds = (operations + storm_.handlings() - 1) / storm_.handlings();
        const auto began = Clock::now();
        for (std::uint64_t i = 0; i < rounds; ++i) round();
        SliceReport result;
        result.elapsed = Clock::now() - began;
        result.operations = rounds * storm_.handlings();
        operations_ += result.operations;
        report("cpu_ns_per_start", starts_, result);
        report("cpu_ns_per_cancel", cancels_, result);
        report("cpu_ns_per_expire", expiries_, result);
        if (lateness_.count() > 0) result.histograms.emplace_back("lateness", lateness_);
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    using Clock = std::chrono::steady_clock;

    struct BareTimer {
        Clock::time_point deadline = Clock::time_point::max();  // max: not pending
    };

    struct Phase {
        std::chrono::nanoseconds cpu{0};
        std::uint64_t handlings = 0;
    };

    void start_far(BareTimer& timer) noexcept {
        constexpr std::uint64_t nearest_ns = 600'000'000'000;
        constexpr std::uint64_t units = 1 << 30;  // of 4 µs less a little
        timer.deadline = now_ + std::chrono::nanoseconds(nearest_ns + random_.below(units) * 2794);
    }

    void round() noexcept {
        now_ = Clock::now();  // once a round, as a loop reads it once a turn
        const auto at_begin = thread_cpu_time();
        cancel_some();
        const auto at_cancelled = thread_cpu_time();
        const Clock::time_point last = start_some();
        const auto at_started = thread_cpu_time();
        if (storm_.expiries > 0) {
            sleep_until(last);
            expire_all();
        }
        add(cancels_, at_cancelled - at_begin, storm_.cancels);
        add(starts_, at_started - at_cancelled, storm_.starts());
        add(expiries_, thread_cpu_time() - at_started, storm_.expiries);
    }

    void cancel_some() noexcept {
        for (std::size_t i = storm_.expiries; i < storm_.expiries + storm_.cancels; ++i) {
            std::swap(order_[i], order_[i + random_.below(order_.size() - i)]);
            check_pending(*order_[i]);
            order_[i]->deadline = Clock::time_point::max();
        }
    }

    /// Gives the last of the near deadlines.
    Clock::time_point start_some() noexcept {
        for (std::size_t i = storm_.expiries; i < storm_.expiries + storm_.cancels; ++i) {
            start_far(*order_[i]);
        }
        for (std::uint32_t i = 0; i < storm_.restarts; ++i) {
            const std::size_t drawn =
                storm_.expiries + random_.below(order_.size() - storm_.expiries);
            check_pending(*order_[drawn]);
            start_far(*order_[drawn]);
        }
        const Clock::time_point first = Clock::now() + storm_.lead();
        const auto spread = static_cast<std::uint64_t>(storm_.spread().count());
        for (std::size_t i = 0; i < storm_.expiries; ++i) {
            order_[i]->deadline = first + std::chrono::nanoseconds(random_.below(spread));
        }
        return first + storm_.spread();
    }

    static void sleep_until(Clock::time_point deadline) noexcept {
        const auto since = deadline.time_since_epoch();
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
        const timespec until{.tv_sec = seconds.count(), .tv_nsec = (since - seconds).count()};
        while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
        }
    }

    void expire_all() noexcept {
        const Clock::time_point woken = Clock::now();
        for (std::size_t i = 0; i < storm_.expiries; ++i) {
            const auto deadline = std::exchange(order_[i]->deadline, Clock::time_point::max());
            if (woken < deadline) check_.fail("a timer fired before its deadline");
            // As often as every loop reads the clock for it.
            if ((++samples_ & 7) != 0) continue;
            lateness_.record(static_cast<std::uint64_t>((Clock::now() - deadline).count()));
        }
    }

    void check_pending(const BareTimer& timer) noexcept {
        if (timer.deadline == Clock::time_point::max()) {
            check_.fail("a timer was lost: it is not pending and never fired");
        }
    }

    static void add(Phase& phase, std::chrono::nanoseconds cpu, std::uint64_t handlings) noexcept {
        phase.cpu += cpu;
        phase.handlings += handlings;
    }

    static void report(const char* name, const Phase& phase, SliceReport& result) {
        if (phase.handlings == 0) return;
        result.metrics.emplace_back(
            name, static_cast<double>(phase.cpu.count()) / static_cast<double>(phase.handlings));
    }

    Storm storm_;
    FastRandom random_;
    SelfCheck check_;
    std::vector<BareTimer> timers_;
    std::vector<BareTimer*> order_;  // first those that expire, then the far ones
    Clock::time_point now_;
    std::uint64_t samples_ = 0;
    Phase starts_;
    Phase cancels_;
    Phase expiries_;
    Histogram lateness_;
    std::uint64_t operations_ = 0;
};

}  // namespace loopbench
