#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>

#include "loops/asio/asio_handler.hpp"
#include "loops/asio/asio_listener.hpp"
#include "loops/asio/asio_node_pool.hpp"
#include "loops/asio/asio_operations.hpp"
#include "loops/asio/asio_readiness.hpp"
#include "loops/asio/asio_stream.hpp"
#include "loops/asio/asio_timer.hpp"
#include "loops/contract.hpp"
#include "loops/posted_wakeup.hpp"
#include "loops/ready_queue.hpp"
#include "loops/threadsafe_queue.hpp"

namespace loopbench {

/// The Boost.Asio loop: `io_context::run` with the concurrency hint 1, over epoll or, compiled with
/// Asio's macros for it, over io_uring.
///
/// Asio has no turns: it runs a handler, and when it comes to the reactor in its queue, polls. What
/// a poll brought ends where the reactor stands in the queue, and a handler that is posted goes
/// behind it. So the first callback of a turn posts a *mark*; when Asio runs it, all that the last
/// poll brought has run, and it is time for the ready queue. On the way there Asio has polled once
/// more, without waiting; what that brought stands behind the mark and is the next turn's.
class AsioLoop {
  public:
    using Timer = AsioTimer;
    using Wakeup = PostedWakeup<AsioLoop>;
    using Readiness = AsioReadiness;
    using Stream = AsioStream;
    using Listener = AsioListener;
    using ReadOperation = AsioReadOperation;
    using WriteOperation = AsioWriteOperation;
    using ConnectOperation = AsioConnectOperation;
    using AcceptOperation = AsioAcceptOperation;
    using ShutdownOperation = AsioShutdownOperation;
    using CloseOperation = AsioCloseOperation;

    /// Throws `std::system_error` when Asio cannot set up (descriptors, epoll, io_uring).
    explicit AsioLoop(const LoopOptions& options);
    AsioLoop(const AsioLoop&) = delete;
    AsioLoop& operator=(const AsioLoop&) = delete;
    ~AsioLoop();

    static Availability availability();
    static LoopDescription describe();

    /// The steady clock as of the last poll. Read on first use after each, so that a loop without
    /// timers never does.
    TimePoint now() const noexcept {
        if (!now_is_fresh_) {
            now_ = std::chrono::steady_clock::now();
            now_is_fresh_ = true;
        }
        return now_;
    }

    void post(Operation& operation) {
        ready_.post(operation);
        if (!mark_posted_) post_mark();  // outside of a turn
    }
    void post_threadsafe(Operation& operation) noexcept;

    void run();
    void stop() noexcept { stop_requested_ = true; }

    LoopCounters counters() const noexcept { return {turns_}; }
    TaskList& tasks() noexcept { return tasks_; }

    // For the parts of the loop.

    boost::asio::io_context& native() noexcept { return context_; }
    const LoopOptions& options() const noexcept { return options_; }
    std::size_t high_water() const noexcept { return options_.high_water; }
    AsioNodePool<AsioTimerNode>& timers() noexcept { return timers_; }
    AsioNodePool<AsioWatchNode>& watches() noexcept { return watches_; }

    bool may_complete_now() noexcept { return ready_.may_complete_now(); }
    void withdraw(Operation& operation) noexcept { ready_.withdraw(operation); }
    void recall(Operation& operation) noexcept {
        inbox_.drain_into(ready_.incoming());
        withdraw(operation);
    }

    /// To be called by every handler before it calls into the owner's code.
    void begin_callback() {
        called_back_ = true;
        if (!in_turn_) begin_turn();
        ready_.begin_callback();
    }

  private:
    void begin_turn();
    void post_mark();
    void on_mark() noexcept;
    void go_through_single_turn();
    void on_inbox() noexcept;

    const LoopOptions options_;
    AsioHandlerMemory<96> mark_memory_;
    AsioHandlerMemory<96> inbox_memory_;
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<AsioExecutor> work_;
    AsioNodePool<AsioTimerNode> timers_;
    AsioNodePool<AsioWatchNode> watches_;

    ReadyQueue ready_;
    unsigned marks_left_ = 0;   // of a single turn
    bool single_turn_ = false;  // `run` is to return after one, which does not wait
    bool mark_posted_ = false;  // or running
    bool in_turn_ = false;      // something has been called back since the last mark
    bool called_back_ = false;  // something has been called back in this `run`
    bool stop_requested_ = false;
    bool shutting_down_ = false;
    mutable bool now_is_fresh_ = false;
    mutable TimePoint now_;
    std::uint64_t turns_ = 0;
    TaskList tasks_;

    // Touched by other threads: on a cache line of its own.
    alignas(64) ThreadsafeQueue inbox_;
};

}  // namespace loopbench
