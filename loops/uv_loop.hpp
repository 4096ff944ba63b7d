#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "loops/contract.hpp"
#include "loops/ready_queue.hpp"
#include "loops/threadsafe_queue.hpp"
#include "loops/uv/uv_listener.hpp"
#include "loops/uv/uv_operations.hpp"
#include "loops/uv/uv_readiness.hpp"
#include "loops/uv/uv_stream.hpp"
#include "loops/uv/uv_timer.hpp"
#include "loops/uv/uv_wakeup.hpp"

namespace loopbench {

/// The libuv loop: `uv_run` in its default mode, with libuv's own handles below every part of the
/// contract. What libuv has not, a queue of callbacks to run soon, runs in a `uv_prepare_t`, just
/// before each poll; while it is not empty a `uv_idle_t` keeps the poll from waiting.
///
/// A turn of libuv's runs: timers, the ready queue, the poll with the callbacks of I/O, the close
/// callbacks. libuv polls once more after a `stop` in the ready queue, without waiting.
///
/// libuv sends with write(2) and asks its users to ignore SIGPIPE; making a loop does so, for the
/// process, unless something else has been arranged for that signal.
class UvLoop {
  public:
    using Timer = UvTimer;
    using Wakeup = UvWakeup;
    using Readiness = UvReadiness;
    using Stream = UvStream;
    using Listener = UvListener;
    using ReadOperation = UvReadOperation;
    using WriteOperation = UvWriteOperation;
    using ConnectOperation = UvConnectOperation;
    using AcceptOperation = UvAcceptOperation;
    using ShutdownOperation = UvShutdownOperation;
    using CloseOperation = UvCloseOperation;

    /// Throws `std::system_error` when libuv cannot set up (descriptors, epoll).
    explicit UvLoop(const LoopOptions& options);
    UvLoop(const UvLoop&) = delete;
    UvLoop& operator=(const UvLoop&) = delete;
    ~UvLoop();

    static Availability availability();
    static LoopDescription describe();

    /// The steady clock as of the last poll, in its full resolution: libuv's own clock has
    /// milliseconds. Read on first use after each poll, so that a loop without timers never does.
    TimePoint now() const noexcept {
        if (!now_is_fresh_) {
            now_ = std::chrono::steady_clock::now();
            now_is_fresh_ = true;
        }
        return now_;
    }

    void post(Operation& operation) noexcept { ready_.post(operation); }
    void post_threadsafe(Operation& operation) noexcept {
        if (inbox_.push(operation)) uv_async_send(&inbox_signal_);
    }

    void run();
    void stop() noexcept;

    LoopCounters counters() const noexcept { return {turns_}; }
    TaskList& tasks() noexcept { return tasks_; }

    // For the parts of the loop.

    uv_loop_t* native() noexcept { return &loop_; }
    const LoopOptions& options() const noexcept { return options_; }
    std::span<std::byte> read_buffer() noexcept {
        return {read_buffer_.get(), options_.read_buffer};
    }

    /// See ReadyQueue.
    bool may_complete_now() noexcept { return ready_.may_complete_now(); }
    void begin_callback() noexcept { ready_.begin_callback(); }

    /// Ends an operation, whose result is set, inside the call that starts it if it may.
    Start end(Operation& operation) noexcept {
        if (may_complete_now()) return Start::done;
        post(operation);
        return Start::pending;
    }

    void complete(Operation& operation) noexcept { ready_.complete(operation); }
    void withdraw(Operation& operation) noexcept { ready_.withdraw(operation); }

  private:
    friend class UvTimer;

    static void on_prepare(uv_prepare_t* handle) noexcept;
    static void on_check(uv_check_t* handle) noexcept;
    static void on_inbox(uv_async_t* handle) noexcept;

    void begin_turn() noexcept;

    const LoopOptions options_;
    uv_loop_t loop_;
    uv_prepare_t before_poll_;  // runs the ready queue; also keeps `uv_run` from returning
    uv_check_t after_poll_;     // active while timers wait in `timers_`
    uv_idle_t busy_;            // active while the poll must not wait
    uv_async_t inbox_signal_;   // wakes the loop for `inbox_`
    UvTimers timers_{loop_};
    std::unique_ptr<std::byte[]> read_buffer_;  // lent to one `data_received` at a time

    ReadyQueue ready_;
    bool running_ = false;
    bool stop_requested_ = false;
    mutable bool now_is_fresh_ = false;
    mutable TimePoint now_;
    std::uint64_t turns_ = 0;
    TaskList tasks_;

    // Touched by other threads: on a cache line of its own.
    alignas(64) ThreadsafeQueue inbox_;
};

}  // namespace loopbench
