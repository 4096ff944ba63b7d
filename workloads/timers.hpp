#pragma once

// Timers: a storm over many pending timers (storm.hpp says what it consists of). Each round goes
// through its phases apart: cancelling, starting, expiring, with the CPU clock read between them.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loops/contract.hpp"
#include "results/histogram.hpp"
#include "workloads/bound.hpp"
#include "workloads/cpu_clock.hpp"
#include "workloads/random.hpp"
#include "workloads/storm.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

template <class Loop>
class Timers final : public Workload {
  public:
    Timers(Loop& loop, const WorkloadSetup& setup)
        : loop_(loop),
          storm_(storm_parameters(setup.params)),
          resolution_(Loop::describe().timer_resolution),
          random_(setup.seed),
          round_(*this) {
        order_.reserve(storm_.pending);
        for (std::uint32_t i = 0; i < storm_.pending; ++i) {
            order_.push_back(&timers_.emplace_back(*this));
        }
        for (std::size_t i = order_.size(); i > 1; --i) {
            std::swap(order_[i - 1], order_[random_.below(i)]);
        }
    }

    /// Starts all timers except those that each round starts by itself. Between slices they stay
    /// pending, far in the future, so that a slice needs no lead-in and the loop sleeps meanwhile.
    std::string set_up() override {
        for (std::size_t i = storm_.expiries; i < order_.size(); ++i) start_far(*order_[i]);
        return {};
    }

    WorkloadCounters counters() const override { return {.operations = operations_}; }

    SliceReport slice(std::uint64_t operations) override {
        for (Phase* phase : {&starts_, &cancels_, &expiries_}) *phase = {};
        lateness_.clear();
        wanted_rounds_ = (operations + storm_.handlings() - 1) / storm_.handlings();
        rounds_ = 0;
        const auto begin = std::chrono::steady_clock::now();
        loop_.post(round_);
        loop_.run();
        const auto end = std::chrono::steady_clock::now();
        return report(end - begin);
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    /// From the beginning of a cache line, so that none lies in one more than it must.
    struct alignas(64) StormTimer : Loop::Timer {
        explicit StormTimer(Timers& owner)
            : Loop::Timer(owner.loop_, &StormTimer::call), storm(owner) {}
        static void call(typename Loop::Timer& timer) noexcept {
            auto& self = static_cast<StormTimer&>(timer);
            self.storm.fired(self);
        }

        Timers& storm;
        TimePoint deadline = TimePoint::max();  // max: must not fire
    };

    /// CPU time and number of handlings of one kind.
    struct Phase {
        std::chrono::nanoseconds cpu{0};
        std::uint64_t handlings = 0;
    };

    /// From ten minutes to an hour: never within a slice, and every distance a different place in a
    /// wheel or a heap.
    void start_far(StormTimer& timer) noexcept {
        constexpr std::uint64_t nearest_ns = 600'000'000'000;
        constexpr std::uint64_t units = 1 << 30;  // of 4 µs less a little
        const Duration delay(nearest_ns + random_.below(units) * 2794);
        timer.deadline = loop_.now() + delay;
        timer.start_after(delay);
    }

    void begin_round() noexcept {
        const std::chrono::nanoseconds at_begin = thread_cpu_time();
        cancel_some();
        const std::chrono::nanoseconds at_cancelled = thread_cpu_time();
        start_some();
        phase_began_ = thread_cpu_time();
        add(cancels_, at_cancelled - at_begin, storm_.cancels);
        add(starts_, phase_began_ - at_cancelled, storm_.starts());
        unfired_ = storm_.expiries;
        last_deadline_ = TimePoint::min();
        if (unfired_ == 0) end_round();
    }

    void cancel_some() noexcept {
        for (std::size_t i = storm_.expiries; i < storm_.expiries + storm_.cancels; ++i) {
            // Drawn without putting back: one that is cancelled is not cancelled again.
            std::swap(order_[i], order_[i + random_.below(order_.size() - i)]);
            StormTimer& drawn = *order_[i];
            check_pending(drawn);
            drawn.cancel();
            drawn.deadline = TimePoint::max();
        }
    }

    void restart_far() noexcept {
        const std::size_t i = storm_.expiries + random_.below(order_.size() - storm_.expiries);
        check_pending(*order_[i]);
        start_far(*order_[i]);
    }

    void start_some() noexcept {
        for (std::size_t i = storm_.expiries; i < storm_.expiries + storm_.cancels; ++i) {
            start_far(*order_[i]);
        }
        for (std::uint32_t i = 0; i < storm_.restarts; ++i) restart_far();
        const TimePoint began = std::chrono::steady_clock::now();
        const TimePoint first = began + lead_;
        last_near_ = first + storm_.spread();
        const auto spread = static_cast<std::uint64_t>(storm_.spread().count());
        for (std::size_t i = 0; i < storm_.expiries; ++i) {
            StormTimer& near = *order_[i];
            near.deadline = first + Duration(random_.below(spread));
            near.start_at(near.deadline);
        }
        lead_ = std::max(lead_, Storm::lead_over(std::chrono::steady_clock::now() - began));
    }

    void fired(StormTimer& timer) noexcept {
        const TimePoint deadline = std::exchange(timer.deadline, TimePoint::max());
        check_fired(deadline);
        if (deadline > last_near_) {
            start_far(timer);  // the process is older than ten minutes
            return;
        }
        if (unfired_ > 0 && --unfired_ == 0) end_round();
    }

    /// Every far timer is pending: none is lost, and none has fired unseen.
    void check_pending(const StormTimer& timer) {
        if (!timer.pending()) check_.fail("a timer was lost: it is not pending and never fired");
    }

    void check_fired(TimePoint deadline) noexcept {
        // Read for one in eight only, because reading the clock costs a quarter of what expiring a
        // timer does. The loop's own time is behind the clock, and good enough to show that a timer
        // is not early.
        const bool sampled = (++samples_ & 7) == 0;
        if (sampled || deadline > loop_.now()) {
            const TimePoint now = std::chrono::steady_clock::now();
            if (now < deadline) {
                check_.fail(deadline == TimePoint::max() ? "a timer fired that was cancelled"
                                                         : "a timer fired before its deadline");
                return;
            }
            if (sampled) lateness_.record(static_cast<std::uint64_t>((now - deadline).count()));
        }
        // Rounded up to the resolution, an earlier deadline may equal a later one, never exceed it.
        if (last_deadline_ != TimePoint::min() && last_deadline_ - deadline >= resolution_) {
            check_.fail("timers fired out of order");
        }
        last_deadline_ = deadline;
    }

    void end_round() noexcept {
        add(expiries_, thread_cpu_time() - phase_began_, storm_.expiries);
        operations_ += storm_.handlings();
        if (++rounds_ == wanted_rounds_ || check_.mistake()) {
            loop_.stop();
        } else {
            loop_.post(round_);
        }
    }

    static void add(Phase& phase, std::chrono::nanoseconds cpu, std::uint64_t handlings) noexcept {
        phase.cpu += cpu;
        phase.handlings += handlings;
    }

    SliceReport report(std::chrono::nanoseconds elapsed) const {
        SliceReport result;
        result.operations = rounds_ * storm_.handlings();
        result.elapsed = elapsed;
        const auto metric = [&](const char* name, const Phase& phase) {
            if (phase.handlings == 0) return;
            result.metrics.emplace_back(name, static_cast<double>(phase.cpu.count()) /
                                                  static_cast<double>(phase.handlings));
        };
        metric("cpu_ns_per_start", starts_);
        metric("cpu_ns_per_cancel", cancels_);
        metric("cpu_ns_per_expire", expiries_);
        if (lateness_.count() > 0) result.histograms.emplace_back("lateness", lateness_);
        return result;
    }

    Loop& loop_;
    Storm storm_;
    std::chrono::nanoseconds lead_ = storm_.lead();
    Duration resolution_;
    FastRandom random_;
    SelfCheck check_;
    std::deque<StormTimer> timers_;  // a deque: they stay where they are
    // In the order drawn at the beginning: first those that expire, then the far ones, of which
    // every round draws those that it cancels to the front.
    std::vector<StormTimer*> order_;
    Bound<Operation, Timers, &Timers::begin_round> round_;

    std::uint64_t wanted_rounds_ = 0;
    std::uint64_t rounds_ = 0;
    std::uint32_t unfired_ = 0;  // of the round's near timers
    TimePoint last_near_ = TimePoint::max();
    TimePoint last_deadline_ = TimePoint::min();
    std::chrono::nanoseconds phase_began_{0};
    std::uint64_t samples_ = 0;
    Phase starts_;
    Phase cancels_;
    Phase expiries_;
    Histogram lateness_;
    std::uint64_t operations_ = 0;
};

template <class Loop>
std::unique_ptr<Workload> make_timers(Loop& loop, const WorkloadSetup& setup) {
    return std::make_unique<Timers<Loop>>(loop, setup);
}

}  // namespace loopbench
