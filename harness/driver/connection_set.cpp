#include "harness/driver/connection_set.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <system_error>
#include <utility>

#include "harness/driver/connecting.hpp"
#include "harness/random.hpp"

namespace loopbench::driver {
namespace {

constexpr std::size_t most_events_at_once = 4096;
constexpr std::uint32_t watched = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

ConnectionSet::ConnectionSet(const CaseParameters& parameters)
    : parameters_(parameters),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      events_(std::min<std::size_t>(parameters.connections + 2, most_events_at_once)),
      buffer_(longest_piece) {
    if (epoll_.get() < 0 || timer_.get() < 0) {
        throw std::system_error(errno, std::system_category(), "epoll_create1 or timerfd_create");
    }
    std::vector<OwnedFd> sockets = open_connections(parameters);
    connections_.resize(sockets.size());
    for (std::uint32_t number = 0; number < sockets.size(); ++number) {
        connections_[number].socket = std::move(sockets[number]);
        connections_[number].number = number;
        watch(connections_[number].socket.get(), watched, number, EPOLL_CTL_ADD);
    }
    // The kernel may end a sleep later by the slack, 50 us by default: not that of a schedule.
    constexpr unsigned long least_slack_ns = 1;
    if (parameters.rate > 0) prctl(PR_SET_TIMERSLACK, least_slack_ns);
    choose_active();
    watch(timer_.get(), EPOLLIN | EPOLLET, timer_mark, EPOLL_CTL_ADD);
    watch_standard_input();
}

void ConnectionSet::watch_standard_input() {
    // The other end of standard input is the harness. Nothing is read from it here: only its end
    // matters, and where it cannot be watched (a file) there is nobody to go away.
    epoll_event event{};
    event.events = EPOLLRDHUP;
    event.data.u32 = standard_input_mark;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0 && errno != EPERM) {
        throw std::system_error(errno, std::system_category(), "watching standard input");
    }
}

void ConnectionSet::choose_active() {
    std::vector<std::size_t> numbers = Random(parameters_.seed).permutation(connections_.size());
    numbers.resize(parameters_.active);
    std::sort(numbers.begin(), numbers.end());
    for (const std::size_t number : numbers) active_.push_back(&connections_[number]);

    const std::size_t width = std::bit_ceil(std::size_t{parameters_.pipeline});
    start_mask_ = width - 1;
    starts_.resize(active_.size() * width);
    for (std::size_t i = 0; i < active_.size(); ++i) active_[i]->starts = &starts_[i * width];
}

std::size_t ConnectionSet::idle_count() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(connections_.begin(), connections_.end(),
                      [](const Connection& connection) { return connection.sent == 0; }));
}

void ConnectionSet::send(Connection& connection) {
    while (connection.sent < connection.goal && !connection.blocked) {
        const std::size_t length =
            std::min<std::uint64_t>(connection.goal - connection.sent, longest_piece);
        const ssize_t count =
            ::send(connection.socket.get(), pattern_.at(connection.number, connection.sent), length,
                   MSG_NOSIGNAL);
        if (count >= 0) {
            connection.sent += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            connection.blocked = true;
            // From the first full buffer on, not before: a Unix socket makes an edge of
            // writability out of every read of the peer's, which would wake the driver for nothing.
            if (!connection.watches_writable) {
                connection.watches_writable = true;
                watch(connection.socket.get(), watched | EPOLLOUT, connection.number,
                      EPOLL_CTL_MOD);
            }
        } else if (errno != EINTR) {
            lost(connection, errno);
        }
    }
}

void ConnectionSet::set_longest_silence(std::chrono::nanoseconds silence) {
    tick_ = silence / ticks_a_silence;
    quiet_ticks_ = 0;
    start_tick();
}

void ConnectionSet::start_tick() {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(tick_);
    itimerspec once{};
    once.it_value.tv_sec = seconds.count();
    once.it_value.tv_nsec = (tick_ - seconds).count();
    if (timerfd_settime(timer_.get(), 0, &once, nullptr) != 0) {
        throw std::system_error(errno, std::system_category(), "timerfd_settime");
    }
}

void ConnectionSet::take_special(std::uint32_t mark) {
    if (mark == standard_input_mark) throw HarnessGone();
    ++quiet_ticks_;
    start_tick();
}

std::span<const epoll_event> ConnectionSet::wait_for_events() {
    for (;;) {
        // A timeout here would set up and take down a kernel timer on every call, measured as a
        // tenth of the driver's CPU time at one connection: hence the timer descriptor.
        const int count =
            epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), -1);
        if (count >= 0) return {events_.data(), static_cast<std::size_t>(count)};
        if (errno != EINTR) throw std::system_error(errno, std::system_category(), "epoll_wait");
    }
}

std::span<const epoll_event> ConnectionSet::wait_for_events_until(Clock::time_point due) {
    for (;;) {
        const std::chrono::nanoseconds left = std::max(due - Clock::now(), Clock::duration(0));
        const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
        const timespec timeout{seconds.count(), (left - seconds).count()};
        const int count = epoll_pwait2(epoll_.get(), events_.data(),
                                       static_cast<int>(events_.size()), &timeout, nullptr);
        if (count >= 0) return {events_.data(), static_cast<std::size_t>(count)};
        if (errno != EINTR) throw std::system_error(errno, std::system_category(), "epoll_pwait2");
    }
}

void ConnectionSet::watch(int descriptor, std::uint32_t events, std::uint32_t mark, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.u32 = mark;
    if (epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0) {
        throw std::system_error(errno, std::system_category(), "epoll_ctl");
    }
}

void ConnectionSet::lost(const Connection& connection, int error_number) const {
    throw DriverError(
        fmt::format("connection {} {} after {} bytes sent and {} received", connection.number,
                    error_number == 0 ? std::string("was closed by the server")
                                      : fmt::format("broke ({})", std::strerror(error_number)),
                    connection.sent, connection.received),
        "the server probably died or gave the connection up: its standard error may say why");
}

}  // namespace loopbench::driver
