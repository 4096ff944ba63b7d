#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/driver/errors.hpp"
#include "harness/driver/parameters.hpp"
#include "harness/driver/pattern.hpp"
#include "harness/fd.hpp"

namespace loopbench::driver {

using Clock = std::chrono::steady_clock;  ///< CLOCK_MONOTONIC: 24 ns a reading through the vDSO

/// One connection and where its two streams are. Positions count bytes since it was opened, without
/// fan-in's hello.
struct Connection {
    OwnedFd socket;
    std::uint32_t number = 0;
    bool blocked = false;  ///< the socket took no more: wait until it is writable
    bool watches_writable = false;
    std::uint64_t sent = 0;
    std::uint64_t goal = 0;  ///< send up to here
    std::uint64_t received = 0;
    std::uint64_t next_message_end = 0;   ///< split echo: where in `received` a message is complete
    std::uint64_t started = 0;            ///< split echo: messages of this slice begun
    std::size_t oldest = 0;               ///< open loop: place in the schedule of the message that
                                          ///< comes back next
    std::uint64_t completed = 0;          ///< split echo: and come back
    Clock::time_point* starts = nullptr;  ///< of messages under way: a ring, `start_mask` wide
};

/// The open connections of one case, and waiting on them. It moves bytes and knows no workload:
/// how much is sent when is the business of the pacing (echo_lockstep.cpp, echo_split.cpp,
/// echo_open.cpp, fanin.cpp). Single-threaded; after construction it allocates nothing.
class ConnectionSet {
  public:
    /// The most that one system call sends or receives.
    static constexpr std::size_t longest_piece = 256 * 1024;

    /// Opens the connections. Throws DriverError.
    explicit ConnectionSet(const CaseParameters& parameters);

    const CaseParameters& parameters() const noexcept { return parameters_; }
    const Pattern& pattern() const noexcept { return pattern_; }
    std::span<Connection> all() noexcept { return connections_; }
    /// Those that send, in the order of their numbers.
    std::span<Connection* const> active() const noexcept { return active_; }
    std::uint64_t start_mask() const noexcept { return start_mask_; }
    /// How many connections have sent nothing so far.
    std::size_t idle_count() const noexcept;

    /// Sends what is missing to the goal, as far as the socket takes it; `wait` sends the rest.
    /// Throws DriverError when the connection broke.
    void send(Connection& connection);

    /// From now on `wait` calls the server stuck when nothing happens for `silence` (at least 1 ms;
    /// noticed up to a quarter later).
    void set_longest_silence(std::chrono::nanoseconds silence);

    /// Waits for events; false when the server is stuck. Calls `on_bytes(connection, bytes)` with
    /// every piece received, and then sends what is missing to the goal. Throws DriverError when a
    /// connection ended, HarnessGone when standard input did.
    template <class OnBytes>
    [[nodiscard]] bool wait(OnBytes&& on_bytes) {
        return handle(wait_for_events(), on_bytes);
    }

    /// The same, but returns at `due` at the latest, to the kernel's precision and without
    /// spinning.
    template <class OnBytes>
    [[nodiscard]] bool wait_until(Clock::time_point due, OnBytes&& on_bytes) {
        return handle(wait_for_events_until(due), on_bytes);
    }

    /// Forgets the silence so far: nothing had to be said.
    void restart_silence() noexcept { quiet_ticks_ = 0; }

  private:
    // What an event is about: the number of a connection, or one of these.
    static constexpr std::uint32_t standard_input_mark = UINT32_MAX;
    static constexpr std::uint32_t timer_mark = UINT32_MAX - 1;
    static constexpr std::uint32_t first_special_mark = timer_mark;
    static constexpr int ticks_a_silence = 4;

    template <class OnBytes>
    bool handle(std::span<const epoll_event> events, OnBytes&& on_bytes) {
        for (const epoll_event& event : events) {
            if (event.data.u32 >= first_special_mark) {
                take_special(event.data.u32);
                continue;
            }
            quiet_ticks_ = 0;
            Connection& connection = connections_[event.data.u32];
            if (event.events & EPOLLOUT) connection.blocked = false;
            if (event.events & ~EPOLLOUT) receive(connection, event.events, on_bytes);
            if (connection.sent < connection.goal) send(connection);
        }
        return quiet_ticks_ <= ticks_a_silence;
    }

    template <class OnBytes>
    void receive(Connection& connection, std::uint32_t events, OnBytes&& on_bytes) {
        const bool ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        for (;;) {
            const ssize_t count = recv(connection.socket.get(), buffer_.data(), buffer_.size(), 0);
            if (count > 0) {
                const auto length = static_cast<std::size_t>(count);
                on_bytes(connection, std::span<const std::byte>(buffer_.data(), length));
                // A short read has emptied the socket, and the next arrival is a new edge
                // (epoll(7)), so that the read that would say EAGAIN is saved. An end of file
                // behind the last bytes makes no new edge: then read on.
                if (length < buffer_.size() && !ending) return;
            } else if (count == 0) {
                lost(connection, 0);
            } else if (errno == EAGAIN) {
                return;
            } else if (errno != EINTR) {
                lost(connection, errno);
            }
        }
    }

    std::span<const epoll_event> wait_for_events();
    std::span<const epoll_event> wait_for_events_until(Clock::time_point due);
    void take_special(std::uint32_t mark);
    void start_tick();
    void watch_standard_input();
    void watch(int descriptor, std::uint32_t events, std::uint32_t mark, int operation);
    void choose_active();
    /// `error_number` is 0 at an end of file.
    [[noreturn]] void lost(const Connection& connection, int error_number) const;

    CaseParameters parameters_;
    Pattern pattern_{longest_piece};
    std::vector<Connection> connections_;
    std::vector<Connection*> active_;
    std::vector<Clock::time_point> starts_;
    std::uint64_t start_mask_ = 0;
    OwnedFd epoll_;
    OwnedFd timer_;
    std::chrono::nanoseconds tick_{0};
    int quiet_ticks_ = 0;  // since the last event on a connection
    std::vector<epoll_event> events_;
    std::vector<std::byte> buffer_;
};

}  // namespace loopbench::driver
