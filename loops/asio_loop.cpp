#include "loops/asio_loop.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/version.hpp>
#include <boost/version.hpp>
#include <system_error>
#include <utility>

namespace loopbench {

static_assert(EventLoop<AsioLoop>);

namespace {

/// Two polls bring what was started before them: io_uring's backend hands over its requests only
/// behind the first. One more mark for what the pass starts, and one to end with.
constexpr unsigned marks_of_single_turn = 4;

}  // namespace

AsioLoop::AsioLoop(const LoopOptions& options)
    : options_(options),
      context_(1),
      work_(context_.get_executor()),
      ready_(options.poll_interval) {
    try {
        // Asio sets up epoll or io_uring with the first object that needs it: now, so that a
        // refusal is known.
        timers_.give_back(timers_.take(*this));
    } catch (const boost::system::system_error& error) {
        throw std::system_error(error.code().value(), std::system_category(),
                                "setting up Asio's io_context");
    }
}

AsioLoop::~AsioLoop() {
    tasks_.shut_down(*this);
    // Their owners keep what nobody will run any more; it is theirs again.
    inbox_.drain_into(ready_.incoming());
    ready_.drop();
    // What was cancelled is still in Asio's hands: it must be back before its memory goes.
    shutting_down_ = true;
    work_.reset();
    context_.restart();
    context_.run();
}

void AsioLoop::run() {
    single_turn_ = std::exchange(stop_requested_, false);
    marks_left_ = marks_of_single_turn;
    called_back_ = false;
    context_.restart();
    post_mark();
    context_.run();
    stop_requested_ = false;
    ready_.begin_callback();  // what is called between two runs counts as one callback
}

void AsioLoop::begin_turn() {
    in_turn_ = true;
    ++turns_;
    now_is_fresh_ = false;
    post_mark();
}

void AsioLoop::post_mark() {
    if (std::exchange(mark_posted_, true)) return;
    boost::asio::post(context_, asio_handler<&AsioLoop::on_mark>(*this, mark_memory_));
}

void AsioLoop::on_mark() noexcept {
    if (shutting_down_) return;
    if (single_turn_) {
        go_through_single_turn();
        return;
    }
    // Without a callback Asio has polled all the same, in vain.
    if (!in_turn_ && !ready_.empty()) begin_turn();
    ready_.run_passes(stop_requested_);
    in_turn_ = mark_posted_ = false;
    if (stop_requested_) {
        context_.stop();
    } else if (!ready_.empty()) {
        post_mark();
    }
}

/// The one turn of a loop that was stopped before it ran: a pass, and what a poll brings. (When the
/// last poll of the run before has left something, that and a pass behind it.)
void AsioLoop::go_through_single_turn() {
    if (marks_left_ == marks_of_single_turn) ready_.run_pass();
    if (called_back_ || --marks_left_ == 0) {
        if (!in_turn_) begin_turn();
        in_turn_ = mark_posted_ = false;
        context_.stop();
    } else {
        mark_posted_ = false;
        post_mark();
    }
}

void AsioLoop::post_threadsafe(Operation& operation) noexcept {
    if (inbox_.push(operation)) {
        boost::asio::post(context_, asio_handler<&AsioLoop::on_inbox>(*this, inbox_memory_));
    }
}

void AsioLoop::on_inbox() noexcept {
    if (shutting_down_) return;
    begin_callback();
    inbox_.drain_into(ready_.incoming());
}

Availability AsioLoop::availability() {
    try {
        const AsioLoop probe{LoopOptions{}};
        return {};
    } catch (const std::system_error& error) {
        return {false, error.what(),
                asio_operations_are_in_the_kernel
                    ? "allow io_uring (sysctl kernel.io_uring_disabled=0, and a seccomp profile "
                      "with io_uring_setup), or raise the limits on descriptors and locked memory"
                    : "raise the limit on open descriptors (ulimit -n)"};
    }
}

LoopDescription AsioLoop::describe() {
    LoopDescription description;
    description.name = LOOPBENCH_ASIO_NAME;
    description.library = "Boost.Asio";
    const auto dotted = [](int major, int minor, int patch) {
        return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
    };
    description.version =
        dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100) +
        " (Asio " +
        dotted(BOOST_ASIO_VERSION / 100000, BOOST_ASIO_VERSION / 100 % 1000,
               BOOST_ASIO_VERSION % 100) +
        ")";
    description.operations = {
        {"post", Support::emulated},     {"timer", Support::adapted},  {"wakeup", Support::adapted},
        {"readiness", Support::adapted}, {"push", Support::adapted},   {"pull", Support::adapted},
        {"listen", Support::adapted},    {"connect", Support::native},
    };
    description.notes = {
        {"backend", asio_operations_are_in_the_kernel
                        ? "io_uring for everything (BOOST_ASIO_HAS_IO_URING with "
                          "BOOST_ASIO_DISABLE_EPOLL)"
                        : "epoll, edge-triggered, at most 128 events a poll; timerfd"},
        {"concurrency hint", "1: one thread runs the context, others may post"},
        {"handlers",
         "an associated allocator keeps each operation in memory of its socket or timer; executors "
         "are io_context's own, not any_io_executor"},
        {"post",
         "a queue of the adapter's, run in a handler that is posted in each turn and costs a poll "
         "that does not wait; from other threads a lock-free list and one asio::post"},
        {"timer",
         "basic_waitable_timer; a wait that is cancelled late is not reported as expired, and a "
         "timer that is started anew takes another wait"},
        {"readiness", "async_wait, then poll(2) for what holds"},
        {"read",
         asio_operations_are_in_the_kernel
             ? "async_read_some, a recvmsg request; push: into a buffer of the stream's own, which "
               "operations in flight cannot share; pull: straight into the caller's"
             : "async_read_some, which tries first and waits then; push: into a buffer of the "
               "stream's own, which operations in flight cannot share; pull: straight into the "
               "caller's"},
        {"write", "send(2) at once on the native handle, then async_wait for room"},
        {"accepting", "async_wait, then accept4(2) until nobody is there"},
        {"cancel", "cancellation_signal, one for reading and one for connecting"},
        {"close", "when the operations in flight are back, after a shutdown(2)"},
        {"tasks", "coroutines of loopbench's own over the adapter, not asio::awaitable"},
    };
    description.timer_resolution = Duration(1);
    description.turn_limit = 128;  // epoll_reactor::run; io_uring_service::run
    return description;
}

}  // namespace loopbench
