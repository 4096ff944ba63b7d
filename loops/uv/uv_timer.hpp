#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "loops/description.hpp"
#include "loops/uv/uv_handle.hpp"

namespace loopbench {

class UvLoop;
class UvTimers;

/// libuv's timer, corrected in two ways to meet the contract. libuv compares against a clock in
/// milliseconds, rounded down, so that a plain `uv_timer_start` fires up to a millisecond early:
/// the deadline is rounded up here and handed over as the difference to that clock. And libuv
/// 1.44 fires what is due before it polls again, even a timer started a moment ago: such a timer,
/// and one whose deadline has passed when it is started, waits in `UvTimers` for the next poll.
class UvTimer {
  public:
    using Function = void (*)(UvTimer&) noexcept;

    UvTimer(UvLoop& loop, Function function) noexcept : loop_(loop), function_(function) {}
    UvTimer(const UvTimer&) = delete;
    UvTimer& operator=(const UvTimer&) = delete;
    ~UvTimer();

    void start_after(Duration delay);
    void start_at(TimePoint deadline);
    void cancel() noexcept;
    bool pending() const noexcept { return state_ != State::idle; }

  private:
    friend class UvTimers;
    enum class State : std::uint8_t {
        idle,
        never,    // at TimePoint::max()
        running,  // in libuv's heap
        due,      // fires after the next poll: in UvTimers::due_
        firing,   // fires after this poll: in UvTimers::firing_
    };

    static void on_timer(uv_timer_t* handle) noexcept;

    UvLoop& loop_;
    Function function_;
    uv_timer_t* handle_ = nullptr;  // from the first start on; data points here
    std::uint64_t due_ms_ = 0;
    std::uint64_t start_id_ = 0;  // counts the starts of all timers of the loop
    std::size_t index_ = 0;       // in due_ or firing_
    State state_ = State::idle;
};

/// The timers of a loop: the spare libuv handles, and the timers that fire after the next poll
/// without passing through libuv's heap again.
class UvTimers {
  public:
    explicit UvTimers(uv_loop_t& loop) noexcept : loop_(loop) {}
    UvTimers(const UvTimers&) = delete;
    UvTimers& operator=(const UvTimers&) = delete;

    /// Before each poll: a new turn begins, in which what is due by now fires. True when there is
    /// such a timer, and the poll must not wait; `fire` is to be called after it.
    bool begin_turn() noexcept;

    /// Runs what `begin_turn` found, the earliest deadline first, then the order of starting.
    void fire() noexcept;

    /// Hands all handles back to libuv; no timer may exist any more.
    void close() noexcept;

  private:
    friend class UvTimer;

    uv_timer_t* take_handle();
    void give_back(uv_timer_t* handle) noexcept;
    void add_due(UvTimer& timer);

    uv_loop_t& loop_;
    std::vector<UvHandle<uv_timer_t>> spare_;
    std::size_t handles_ = 0;       // spare or not
    std::vector<UvTimer*> due_;     // null where a timer was cancelled
    std::vector<UvTimer*> firing_;  // likewise
    std::uint64_t next_start_id_ = 0;
    std::uint64_t first_start_id_of_turn_ = 0;
};

}  // namespace loopbench
