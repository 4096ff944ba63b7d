#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "harness/micro/counting.hpp"
#include "workloads/random.hpp"

namespace loopbench::micro {

/// A loop with many pending timers, of which a batch is started, cancelled or expired at a time,
/// drawn anew for each. The number that is pending goes from half a batch below `pending` to half a
/// batch above it, or back.
template <class Loop>
class TimerField {
  public:
    static constexpr std::int64_t timers_a_batch = 1000;

    explicit TimerField(std::int64_t pending)
        : pending_(pending), loop_(options()), countdown_(loop_) {
        const auto all = static_cast<std::size_t>(pending + timers_a_batch / 2);
        order_.reserve(all);
        for (std::size_t i = 0; i < all; ++i) {
            // All of them: a first start may cost more than later ones.
            order_.emplace_back(&timers_.emplace_back(*this))->start_after(far());
        }
    }

    std::int64_t pending() const noexcept { return pending_; }

    /// Makes sure that a batch is idle, and draws how far in the future each of it will be put.
    void prepare_start() {
        if (batch_is_pending_) {
            draw_batch();
            cancel_batch();
        }
        for (Duration& delay : delays_) delay = far();
    }
    /// Starts the idle timers, and lets the loop do what it has put off.
    void start_batch() {
        for (std::size_t i = 0; i < batch; ++i) order_[i]->start_after(delays_[i]);
        run_one_turn(loop_);
        batch_is_pending_ = true;
    }

    /// Draws which timers the next batch is made of; all are pending.
    void draw_batch() noexcept {
        for (std::size_t i = 0; i < batch; ++i) {
            std::swap(order_[i], order_[i + random_.below(order_.size() - i)]);
        }
    }
    /// Cancels the batch, and lets the loop do what it has put off.
    void cancel_batch() {
        for (std::size_t i = 0; i < batch; ++i) order_[i]->cancel();
        run_one_turn(loop_);
        batch_is_pending_ = false;
    }

    /// Moves the batch to deadlines within a millisecond, and lets them pass: on the clock that is
    /// ours where the loop takes one, otherwise in real time.
    void make_batch_due() {
        const bool ours = Loop::describe().controllable_clock;
        const TimePoint first = (ours ? clock_ : std::chrono::steady_clock::now()) + lead;
        for (std::size_t i = 0; i < batch; ++i) {
            order_[i]->start_at(first + Duration(random_.below(spread.count())));
        }
        const TimePoint all_due = first + spread + Loop::describe().timer_resolution;
        if (ours) {
            clock_ = all_due;
        } else {
            std::this_thread::sleep_until(all_due);
        }
        countdown_.begin(timers_a_batch);
    }
    /// Runs the loop until the batch has fired.
    void expire_batch() {
        countdown_.run_to_end();
        batch_is_pending_ = false;
    }

  private:
    struct Timer : Loop::Timer {
        explicit Timer(TimerField& its_field)
            : Loop::Timer(its_field.loop_, &Timer::call), field(its_field) {}
        static void call(typename Loop::Timer& timer) noexcept {
            static_cast<Timer&>(timer).field.countdown_.happened();
        }

        TimerField& field;
    };

    static constexpr auto batch = static_cast<std::size_t>(timers_a_batch);
    static constexpr Duration spread = std::chrono::milliseconds(1);
    /// Time for starting a batch before its first deadline, or it would be started overdue.
    static constexpr Duration lead = std::chrono::milliseconds(2);

    /// From one hour to ten: never while this is measured, and every distance a different place in
    /// a wheel or a heap.
    Duration far() noexcept {
        constexpr Duration nearest = std::chrono::hours(1);
        constexpr std::uint64_t units = 1 << 30;  // of 30 µs
        return nearest + Duration(random_.below(units) * 30'000);
    }

    LoopOptions options() {
        LoopOptions result;
        if (Loop::describe().controllable_clock) result.clock = [this] { return clock_; };
        return result;
    }

    std::int64_t pending_;
    TimePoint clock_ = std::chrono::steady_clock::now();
    Loop loop_;
    Countdown<Loop> countdown_;
    FastRandom random_{1};
    bool batch_is_pending_ = true;
    std::deque<Timer> timers_;   // a deque: they stay where they are
    std::vector<Timer*> order_;  // the batch first, then those that stay pending
    std::vector<Duration> delays_ = std::vector<Duration>(batch);
};

/// The field of the last number of pending timers that was asked for. Google Benchmark calls a
/// benchmark several times to find its number of iterations: a million timers are set up once.
template <class Loop>
class TimerFields {
  public:
    TimerField<Loop>& with(std::int64_t pending) {
        if (field_ == nullptr || field_->pending() != pending) {
            field_.reset();
            field_ = std::make_unique<TimerField<Loop>>(pending);
        }
        return *field_;
    }

  private:
    std::unique_ptr<TimerField<Loop>> field_;
};

}  // namespace loopbench::micro
