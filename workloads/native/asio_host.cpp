#include "workloads/native/asio_host.hpp"

#include <sys/epoll.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/version.hpp>
#include <string>
#include <system_error>

namespace {

std::uint64_t polls = 0;

}  // namespace

// Asio says nowhere how often it has polled the kernel. So the linker leads its calls of
// epoll_wait(2) by here (--wrap), which costs nothing and changes nothing. Those that bring nothing
// do not count: Asio looks for events, without waiting, between two lots of handlers.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's
int __real_epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms);
int __wrap_epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) {
    const int found = __real_epoll_wait(epoll, events, most, timeout_ms);
    if (found > 0) ++polls;
    return found;
}
// NOLINTEND(bugprone-reserved-identifier)
}

namespace loopbench {

NativeAsioHost::NativeAsioHost(const LoopOptions& options) : options_(options) {
    // Asio's first poll finds the event by which it wakes itself, which is no turn of a workload's.
    const boost::asio::posix::stream_descriptor made_with_its_reactor(context_);
    const auto work = boost::asio::make_work_guard(context_);
    poll();
    polls = 0;
}

LoopCounters NativeAsioHost::counters() const noexcept {
    return {.turns = polls};
}

Result<> NativeAsioHost::Readiness::start(Interest) noexcept {
    boost::system::error_code error;
    watched_.emplace(host_.context());
    watched_->assign(descriptor_, error);
    if (error) {
        watched_.reset();
        return Failure::from_errno(error.value());
    }
    wait();
    return {};
}

void NativeAsioHost::Readiness::stop() noexcept {
    if (!watched_) return;
    watched_->release();  // whose descriptor stays open; the wait ends as aborted
    watched_.reset();
}

void NativeAsioHost::Readiness::wait() {
    // An aborted wait may be told when this exists no more.
    watched_->async_wait(boost::asio::posix::descriptor_base::wait_read,
                         [this](const boost::system::error_code& error) {
                             if (error == boost::asio::error::operation_aborted) return;
                             function_(*this, Interest::readable);
                             if (watched_) wait();
                         });
}

Availability NativeAsioHost::availability() {
    try {
        boost::asio::io_context context(1);
        boost::asio::posix::stream_descriptor made_with_its_reactor(context);
    } catch (const std::exception& error) {
        return {false, std::string("boost::asio::io_context: ") + error.what(),
                "raise the limit on open files, or see what the sandbox forbids"};
    }
    return {};
}

LoopDescription NativeAsioHost::describe() {
    LoopDescription description;
    description.name = "native-asio";
    description.library = "Boost.Asio";
    description.version = std::to_string(BOOST_VERSION / 100000) + '.' +
                          std::to_string(BOOST_VERSION / 100 % 1000) + '.' +
                          std::to_string(BOOST_VERSION % 100);
    description.operations = {{"post", Support::native},
                              {"pull", Support::native},
                              {"listen", Support::native},
                              {"timer", Support::native}};
    description.notes = {
        {"backend", "epoll, edge-triggered; at most 128 events a turn"},
        {"threads", "concurrency hint 1"},
        {"read", "async_read_some into a buffer of each connection"},
        {"write", "async_write, and then the next read"},
        {"turn", "a call of epoll_wait that brought events"},
        {"api", "the form of its own, completion handlers, is offered as push"},
        {"timers", "steady_timer; the handlers of cancelled waits run in the phase that cancelled"},
        {"pingpong",
         "callback: one step in the queue; yield: one of each task; by post either "
         "plain handlers or coroutines"}};
    description.settable_poll_interval = false;
    description.turn_limit = 128;  // epoll_reactor::run
    description.keys = {{"post",
                         {"plain", "awaitable"},
                         "how ping-pong gives way: asio::post, or co_await asio::post"}};
    return description;
}

}  // namespace loopbench
