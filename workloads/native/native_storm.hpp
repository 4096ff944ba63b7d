#pragma once

// The timer storm (workloads/timers.hpp) straight against a library: the same timers in the same
// order with the same deadlines, and the same checks, against the deadlines as the library keeps
// them.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loops/description.hpp"
#include "results/histogram.hpp"
#include "workloads/cpu_clock.hpp"
#include "workloads/random.hpp"
#include "workloads/storm.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// `Library` is made from the host and has `Handle`, made from it as well, and, for a timer with
/// the members `handle` and `storm`,
///  - TimePoint start(timer, deadline): starts it, so that `storm.fired(timer)` will be called, and
///    gives the deadline that the library made of it;
///  - void cancel(timer), void close(timer);
///  - TimePoint now(); Duration resolution();
///  - void settle(): runs what cancelling left to be called;
///  - void run() until stop().
template <class Host, class Library>
class NativeStorm final : public Workload {
  public:
    NativeStorm(Host& host, const WorkloadSetup& setup)
        : library_(host), storm_(storm_parameters(setup.params)), random_(setup.seed) {
        order_.reserve(storm_.pending);
        for (std::uint32_t i = 0; i < storm_.pending; ++i) {
            order_.push_back(&timers_.emplace_back(*this));
        }
        for (std::size_t i = order_.size(); i > 1; --i) {
            std::swap(order_[i - 1], order_[random_.below(i)]);
        }
    }
    ~NativeStorm() override {
        for (Timer& timer : timers_) library_.close(timer);
        library_.settle();
    }

    std::string set_up() override {
        for (std::size_t i = storm_.expiries; i < order_.size(); ++i) start_far(*order_[i]);
        return {};
    }

    WorkloadCounters counters() const override { return {.operations = operations_}; }

    SliceReport slice(std::uint64_t operations) override {
        for (Phase* phase : {&starts_, &cancels_, &expiries_}) *phase = {};
        lateness_.clear();
        const std::uint64_t wanted = (operations + storm_.handlings() - 1) / storm_.handlings();
        SliceReport result;
        const auto began = Clock::now();
        for (std::uint64_t i = 0; i < wanted && !check_.mistake(); ++i) {
            round();
            result.operations += storm_.handlings();
        }
        result.elapsed = Clock::now() - began;
        operations_ += result.operations;
        report("cpu_ns_per_start", starts_, result);
        report("cpu_ns_per_cancel", cancels_, result);
        report("cpu_ns_per_expire", expiries_, result);
        if (lateness_.count() > 0) result.histograms.emplace_back("lateness", lateness_);
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    /// Aligned as in workloads/timers.hpp.
    struct alignas(64) Timer {
        explicit Timer(NativeStorm& owner) : storm(owner), handle(owner.library_) {}

        NativeStorm& storm;
        typename Library::Handle handle;
        TimePoint deadline = TimePoint::max();  // max: must not fire
    };

    void fired(Timer& timer) noexcept {
        const TimePoint deadline = std::exchange(timer.deadline, TimePoint::max());
        const bool near = deadline <= last_near_;
        check_fired(deadline);
        if (!near) {
            start_far(timer);  // the process is older than ten minutes
        } else if (unfired_ > 0 && --unfired_ == 0) {
            library_.stop();
        }
    }

  private:
    using Clock = std::chrono::steady_clock;

    struct Phase {
        std::chrono::nanoseconds cpu{0};
        std::uint64_t handlings = 0;
    };

    void start_far(Timer& timer) noexcept {
        constexpr std::uint64_t nearest_ns = 600'000'000'000;
        constexpr std::uint64_t units = 1 << 30;  // of 4 µs less a little
        const Duration delay(nearest_ns + random_.below(units) * 2794);
        timer.deadline = library_.start(timer, library_.now() + delay);
    }

    void round() noexcept {
        const auto at_begin = thread_cpu_time();
        cancel_some();
        library_.settle();
        const auto at_cancelled = thread_cpu_time();
        unfired_ = storm_.expiries;
        last_deadline_ = TimePoint::min();
        start_some();
        library_.settle();
        const auto at_started = thread_cpu_time();
        if (unfired_ > 0) library_.run();
        add(cancels_, at_cancelled - at_begin, storm_.cancels);
        add(starts_, at_started - at_cancelled, storm_.starts());
        add(expiries_, thread_cpu_time() - at_started, storm_.expiries);
    }

    void cancel_some() noexcept {
        for (std::size_t i = storm_.expiries; i < storm_.expiries + storm_.cancels; ++i) {
            std::swap(order_[i], order_[i + random_.below(order_.size() - i)]);
            check_pending(*order_[i]);
            library_.cancel(*order_[i]);
            order_[i]->deadline = TimePoint::max();
        }
    }

    void start_some() noexcept {
        for (std::size_t i = storm_.expiries; i < storm_.expiries + storm_.cancels; ++i) {
            start_far(*order_[i]);
        }
        for (std::uint32_t i = 0; i < storm_.restarts; ++i) {
            const std::size_t drawn =
                storm_.expiries + random_.below(order_.size() - storm_.expiries);
            check_pending(*order_[drawn]);
            start_far(*order_[drawn]);
        }
        const TimePoint began = Clock::now();
        const TimePoint first = began + lead_;
        last_near_ = first + storm_.spread() + library_.resolution();
        const auto spread = static_cast<std::uint64_t>(storm_.spread().count());
        for (std::size_t i = 0; i < storm_.expiries; ++i) {
            Timer& near = *order_[i];
            near.deadline = library_.start(near, first + Duration(random_.below(spread)));
        }
        lead_ = std::max(lead_, Storm::lead_over(Clock::now() - began));
    }

    void check_pending(const Timer& timer) noexcept {
        if (timer.deadline == TimePoint::max()) {
            check_.fail("a timer was lost: it is not pending and never fired");
        }
    }

    void check_fired(TimePoint deadline) noexcept {
        // As often as with every loop, because reading the clock costs a quarter of expiring.
        if ((++samples_ & 7) == 0 || deadline > library_.now()) {
            const TimePoint now = Clock::now();
            if (now < deadline) {
                check_.fail(deadline == TimePoint::max() ? "a timer fired that was cancelled"
                                                         : "a timer fired before its deadline");
                return;
            }
            if ((samples_ & 7) == 0) {
                lateness_.record(static_cast<std::uint64_t>((now - deadline).count()));
            }
        }
        if (deadline < last_deadline_) check_.fail("timers fired out of order");
        last_deadline_ = deadline;
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

    Library library_;
    Storm storm_;
    std::chrono::nanoseconds lead_ = storm_.lead();
    FastRandom random_;
    SelfCheck check_;
    std::deque<Timer> timers_;   // a deque: they stay where they are
    std::vector<Timer*> order_;  // first those that expire, then the far ones
    std::uint32_t unfired_ = 0;  // of the round's near timers
    TimePoint last_near_ = TimePoint::max();
    TimePoint last_deadline_ = TimePoint::min();
    std::uint64_t samples_ = 0;
    Phase starts_;
    Phase cancels_;
    Phase expiries_;
    Histogram lateness_;
    std::uint64_t operations_ = 0;
};

}  // namespace loopbench
