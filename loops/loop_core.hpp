#pragma once

#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <optional>
#include <system_error>

#include "loops/description.hpp"
#include "loops/fd.hpp"
#include "loops/operation.hpp"
#include "loops/posted_wakeup.hpp"
#include "loops/task_list.hpp"
#include "loops/timer_wheel.hpp"

namespace loopbench {

/// What the hand-written loops share, whatever their kernel interface: the ready queue and its
/// passes, the timers, the clock, the inbox from other threads, stop. A loop derives from it,
/// implements the poll, and passes itself to `run_turns`.
class LoopCore {
  public:
    class Timer;
    using Wakeup = PostedWakeup<LoopCore>;

    LoopCore(const LoopCore&) = delete;
    LoopCore& operator=(const LoopCore&) = delete;

    /// The clock as of the last poll. It is read on first use after it: a loop without timers never
    /// reads it.
    TimePoint now() const noexcept {
        if (!now_is_fresh_) refresh_now();
        return now_;
    }

    void post(Operation& operation) noexcept { ready_.push(operation); }

    void post_threadsafe(Operation& operation) noexcept {
        assert(operation.next == nullptr && "an operation was posted twice");
        Operation* head = inbox_.load(std::memory_order_relaxed);
        do {
            operation.next = head;
        } while (!inbox_.compare_exchange_weak(head, &operation, std::memory_order_seq_cst,
                                               std::memory_order_relaxed));
        // Pairs with prepare_to_wait(): either the loop sees the inbox filled, or we see it
        // waiting.
        if (waiting_.load(std::memory_order_seq_cst) &&
            waiting_.exchange(false, std::memory_order_seq_cst)) {
            wake();
        }
    }

    /// Ends `run` after the current pass or dispatch.
    void stop() noexcept { stop_requested_ = true; }

    LoopCounters counters() const noexcept { return {turns_}; }
    TaskList& tasks() noexcept { return tasks_; }

    /// Whether one more operation may complete inside the call that starts it (sentence 1 of the
    /// contract): at most `poll_interval` do, one after the other, inside one callback.
    bool may_complete_now() noexcept {
        if (immediate_left_ == 0) return false;
        --immediate_left_;
        ++callbacks_;
        return true;
    }

    /// Queued bytes above which a push stream says pause.
    std::size_t high_water() const noexcept { return high_water_; }

    /// Takes a posted operation back, if it is queued.
    void withdraw(Operation& operation) noexcept {
        if (operation.next == nullptr) return;
        if (!ready_.remove(operation)) pass_.remove(operation);
    }
    /// The same for one that was posted from another thread.
    void recall(Operation& operation) noexcept {
        empty_inbox();
        withdraw(operation);
    }

  protected:
    explicit LoopCore(const LoopOptions& options)
        : poll_interval_(options.poll_interval),
          high_water_(options.high_water),
          clock_(options.clock),
          timers_(nanoseconds(now())) {
        wake_descriptor_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!wake_descriptor_) {
            throw std::system_error(errno, std::system_category(), "creating the wake-up eventfd");
        }
    }
    ~LoopCore() = default;

    int wake_descriptor() const noexcept { return wake_descriptor_.get(); }
    unsigned poll_interval() const noexcept { return poll_interval_; }

    /// The story of `run`: passes, then a poll, until somebody says stop. `poll(may_wait)` waits
    /// for the kernel if it may, calls `after_wait`, dispatches.
    template <class Poll>
    void run_turns(Poll&& poll) {
        if (stop_requested_) {  // stopped before it ran: one turn, without waiting
            stop_requested_ = false;
            run_pass();
            poll(false);
            run_due_timers();
            stop_requested_ = false;
            return;
        }
        while (true) {
            callbacks_ = 0;
            while (!ready_.empty() && !stop_requested_ && callbacks_ < poll_interval_) run_pass();
            if (stop_requested_) break;
            poll(ready_.empty());
            run_due_timers();
            if (stop_requested_) break;
        }
        stop_requested_ = false;
    }

    /// Says how long a poll may wait: nullopt for ever, or until the next deadline. Announces to
    /// other threads that the loop is about to wait; `after_wait` takes that back.
    std::optional<Duration> prepare_to_wait() noexcept {
        std::optional<Duration> timeout;
        if (const auto deadline = timers_.next_deadline()) {
            if (*deadline != never) {
                // Callbacks have taken time since the last poll: the clock is read again.
                refresh_now();
                const std::uint64_t now_ns = nanoseconds(now_);
                timeout = Duration(*deadline > now_ns ? *deadline - now_ns : 0);
            }
        }
        waiting_.store(true, std::memory_order_seq_cst);
        if (inbox_.load(std::memory_order_seq_cst) != nullptr) timeout = Duration(0);
        return timeout;
    }

    /// To be called when the kernel has been polled, before anything is dispatched: what is due is
    /// settled here, so that a timer that a callback of this turn starts fires in a later turn.
    void after_wait() noexcept {
        waiting_.store(false, std::memory_order_relaxed);
        ++turns_;
        now_is_fresh_ = false;
        if (!timers_.empty()) timers_.collect(nanoseconds(now()));
        if (inbox_.load(std::memory_order_relaxed) != nullptr) empty_inbox();
    }

    /// To be called before each callback that the poll dispatches.
    void begin_callback() noexcept { immediate_left_ = poll_interval_; }

  private:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    static std::uint64_t nanoseconds(TimePoint time) noexcept {
        const auto count = std::chrono::duration_cast<Duration>(time.time_since_epoch()).count();
        return count > 0 ? static_cast<std::uint64_t>(count) : 0;
    }

    void refresh_now() const noexcept {
        now_ = clock_ ? clock_() : std::chrono::steady_clock::now();
        now_is_fresh_ = true;
    }

    void run_pass() noexcept {
        pass_.append(ready_);
        unsigned run = 0;
        while (!pass_.empty()) {
            Operation& operation = pass_.pop();
            ++run;
            begin_callback();
            operation.function(operation);
        }
        callbacks_ += run;
    }

    inline void run_due_timers() noexcept;

    /// Moves the inbox, which is newest first, into the ready queue, oldest first.
    void empty_inbox() noexcept {
        Operation* newest = inbox_.exchange(nullptr, std::memory_order_acquire);
        Operation* oldest = nullptr;
        while (newest != nullptr) {
            Operation* next = newest->next;
            newest->next = oldest;
            oldest = newest;
            newest = next;
        }
        while (oldest != nullptr) {
            Operation* next = oldest->next;
            oldest->next = nullptr;
            ready_.push(*oldest);
            oldest = next;
        }
    }

    void wake() noexcept {
        const std::uint64_t one = 1;
        // EAGAIN would mean 2^64-2 unread wake-ups: then the loop is awake as it is.
        [[maybe_unused]] const auto written = ::write(wake_descriptor_.get(), &one, sizeof one);
    }

    OperationQueue ready_;    // what the next pass will run
    OperationQueue pass_;     // what is left of the current one
    unsigned callbacks_ = 0;  // since the last poll
    unsigned immediate_left_ = 0;
    unsigned poll_interval_;
    std::size_t high_water_;
    bool stop_requested_ = false;
    mutable bool now_is_fresh_ = false;
    mutable TimePoint now_;
    std::function<TimePoint()> clock_;
    TimerWheel timers_;
    std::uint64_t turns_ = 0;
    TaskList tasks_;
    Fd wake_descriptor_;

    // Touched by other threads: on a cache line of their own.
    alignas(64) std::atomic<Operation*> inbox_{nullptr};
    std::atomic<bool> waiting_{false};
};

/// A timer of the hand-written loops: see LoopTimer in the contract.
class LoopCore::Timer : private TimerNode {
  public:
    using Function = void (*)(Timer&) noexcept;

    Timer(LoopCore& loop, Function function) noexcept : loop_(loop), function_(function) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { loop_.timers_.forget(*this); }

    void start_after(Duration delay) noexcept {
        const std::uint64_t now_ns = nanoseconds(loop_.now());
        const std::uint64_t delay_ns =
            delay.count() > 0 ? static_cast<std::uint64_t>(delay.count()) : 0;
        start(now_ns + delay_ns);  // both are below 2^63
    }
    void start_at(TimePoint deadline) noexcept {
        start(deadline == TimePoint::max() ? never : nanoseconds(deadline));
    }
    void cancel() noexcept {
        if (pending()) loop_.timers_.remove(*this);
    }
    bool pending() const noexcept { return loop_.timers_.pending(*this); }

  private:
    friend class LoopCore;

    void start(std::uint64_t deadline) noexcept {
        cancel();
        loop_.timers_.insert(*this, deadline);
    }

    LoopCore& loop_;
    Function function_;
};

inline void LoopCore::run_due_timers() noexcept {
    while (TimerNode* node = timers_.pop_due()) {
        Timer& timer = static_cast<Timer&>(*node);
        begin_callback();
        timer.function_(timer);
    }
}

}  // namespace loopbench
