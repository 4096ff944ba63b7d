#include "loops/uv_loop.hpp"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <system_error>

namespace loopbench {

static_assert(EventLoop<UvLoop>);

namespace {

/// See the class comment: without it, a write to a connection that the peer has closed would end
/// the process instead of failing with EPIPE.
void ignore_sigpipe() noexcept {
    struct sigaction current {};
    if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
        std::signal(SIGPIPE, SIG_IGN);
    }
}

/// libuv opens the descriptor that it keeps in reserve for `accept` with the loop's first stream,
/// and does without when there is none left then. With the loop it is had for certain.
void open_reserve(uv_loop_t& loop) noexcept {
    uv_pipe_t stream;
    uv_pipe_init(&loop, &stream, 0);
    uv_close(reinterpret_cast<uv_handle_t*>(&stream), nullptr);
    uv_run(&loop, UV_RUN_NOWAIT);
}

}  // namespace

UvLoop::UvLoop(const LoopOptions& options)
    : options_(options),
      read_buffer_(std::make_unique_for_overwrite<std::byte[]>(options.read_buffer)),
      ready_(options.poll_interval) {
    if (const int status = uv_loop_init(&loop_); status < 0) {
        throw std::system_error(-status, std::system_category(), "uv_loop_init");
    }
    ignore_sigpipe();
    open_reserve(loop_);
    // None of these can fail on Unix once the loop exists: its own async handle has made the
    // eventfd already.
    uv_prepare_init(&loop_, &before_poll_);
    uv_check_init(&loop_, &after_poll_);
    uv_idle_init(&loop_, &busy_);
    uv_async_init(&loop_, &inbox_signal_, on_inbox);
    before_poll_.data = after_poll_.data = inbox_signal_.data = this;
    uv_prepare_start(&before_poll_, on_prepare);
}

UvLoop::~UvLoop() {
    tasks_.shut_down(*this);
    // Their owners keep what nobody will run any more; it is theirs again.
    inbox_.drain_into(ready_.incoming());
    ready_.drop();
    timers_.close();
    for (uv_handle_t* handle :
         {reinterpret_cast<uv_handle_t*>(&before_poll_),
          reinterpret_cast<uv_handle_t*>(&after_poll_), reinterpret_cast<uv_handle_t*>(&busy_),
          reinterpret_cast<uv_handle_t*>(&inbox_signal_)}) {
        uv_close(handle, nullptr);
    }
    // Runs the close callbacks of these and of what was destroyed since the last turn.
    uv_run(&loop_, UV_RUN_DEFAULT);
    [[maybe_unused]] const int status = uv_loop_close(&loop_);
    assert(status == 0 && "a part of the loop outlives it");
}

void UvLoop::run() {
    // A stop from before: `uv_run` would return without a turn.
    const uv_run_mode mode = stop_requested_ ? UV_RUN_NOWAIT : UV_RUN_DEFAULT;
    stop_requested_ = false;
    running_ = true;
    uv_run(&loop_, mode);
    running_ = false;
    stop_requested_ = false;
    begin_callback();  // what is called between two runs counts as one callback
}

void UvLoop::stop() noexcept {
    stop_requested_ = true;
    if (running_) uv_stop(&loop_);
}

void UvLoop::on_prepare(uv_prepare_t* handle) noexcept {
    UvLoop& loop = *static_cast<UvLoop*>(handle->data);
    loop.ready_.run_passes(loop.stop_requested_);
    loop.begin_turn();
}

/// Settles, just before the poll, whether it may wait; the callbacks of I/O that it brings belong
/// to the new turn already.
void UvLoop::begin_turn() noexcept {
    const bool timers_due = timers_.begin_turn();
    if (timers_due) uv_check_start(&after_poll_, on_check);
    if (timers_due || !ready_.empty()) {
        uv_idle_start(&busy_, [](uv_idle_t*) {});  // nothing, when it is active already
    } else {
        uv_idle_stop(&busy_);
    }
    ++turns_;
    now_is_fresh_ = false;
}

void UvLoop::on_check(uv_check_t* handle) noexcept {
    uv_check_stop(handle);
    static_cast<UvLoop*>(handle->data)->timers_.fire();
}

void UvLoop::on_inbox(uv_async_t* handle) noexcept {
    UvLoop& loop = *static_cast<UvLoop*>(handle->data);
    loop.inbox_.drain_into(loop.ready_.incoming());
}

Availability UvLoop::availability() {
    uv_loop_t probe;
    const int status = uv_loop_init(&probe);
    if (status < 0) {
        return {false, std::string("uv_loop_init: ") + uv_strerror(status),
                "raise the limit on open descriptors (ulimit -n), or see what the message says"};
    }
    uv_loop_close(&probe);
    return {};
}

LoopDescription UvLoop::describe() {
    LoopDescription description;
    description.name = "uv";
    description.library = "libuv";
    description.version = uv_version_string();
    description.operations = {
        {"post", Support::emulated},     {"timer", Support::adapted},  {"wakeup", Support::adapted},
        {"readiness", Support::adapted}, {"push", Support::native},    {"pull", Support::adapted},
        {"listen", Support::adapted},    {"connect", Support::native},
    };
    description.notes = {
        {"post",
         "a queue of the adapter's, run in a uv_prepare_t; from other threads a lock-free "
         "list and one uv_async_t"},
        {"timer",
         "uv_timer_t; deadlines are rounded up to the millisecond, since libuv fires up to one "
         "early; what is due when it is started fires in the next turn, from a list beside "
         "libuv's"},
        {"wakeup", "uv_async_t, behind a flag that closes a gap in its memory ordering"},
        {"readiness", "uv_poll_t, started again when libuv stops it because of an error"},
        {"read",
         "uv_read_start; push: one buffer lent by the loop; pull: straight into the "
         "caller's, and reading is not stopped between two reads"},
        {"write", "uv_try_write, then uv_write"},
        {"cancel",
         "a cancelled write_all leaves libuv a copy of what is not yet sent, which goes "
         "out all the same; a cancelled connect closes the handle"},
        {"accept",
         "uv_listen and uv_accept; out of descriptors, libuv accepts what waits with a "
         "spare one and drops it"},
        {"signals", "SIGPIPE is ignored, as libuv asks"},
    };
    description.timer_resolution = std::chrono::milliseconds(1);
    description.equal_deadlines_in_order = true;
    return description;
}

}  // namespace loopbench
