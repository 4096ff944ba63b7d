#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "workloads/bare/server.hpp"

namespace loopbench {

/// Sends back what it receives: one buffer for all connections, one recv and one send a message. A
/// client that does not read its echo is not read from.
class BareEcho {
  public:
    struct Connection : BareConnection {
        Connection(BareEcho& echo, Fd connected) noexcept
            : BareConnection(std::move(connected)), owner(echo) {}
        ~Connection() {
            if (carried_data) --owner.steady_;
        }

        BareEcho& owner;
        bool carried_data = false;
        std::vector<std::byte> unsent;  // while there is some, nothing is received
        std::size_t sent = 0;           // bytes at its front
    };

    BareEcho(const SocketParameters& parameters, SelfCheck&, int epoll)
        : epoll_(epoll),
          message_size_(parameters.size),
          size_(parameters.read_buffer),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(size_)) {}

    WorkloadCounters counters() const noexcept {
        return {.operations = bytes_ / message_size_,
                .reads = reads_,
                .bytes = bytes_,
                .steady_connections = steady_};
    }

    bool ready(Connection& connection, std::uint32_t events) noexcept {
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) connection.hang_up = true;
        return connection.unsent.empty() ? receive(connection) : send_rest(connection);
    }

  private:
    bool receive(Connection& connection) noexcept {
        for (int i = 0; i < bare_reads_per_event; ++i) {
            const ssize_t got = ::recv(connection.socket.get(), buffer_.get(), size_, 0);
            if (got > 0) {
                const auto bytes = static_cast<std::size_t>(got);
                count(connection, bytes);
                if (!send_back(connection, bytes)) return false;
                if (!connection.unsent.empty()) return true;
                // A short read has drained the socket, unless its end lies behind it.
                if (bytes < size_ && !connection.hang_up) return true;
                continue;
            }
            if (got < 0 && errno == EAGAIN) return true;
            // At the end of the file everything has been sent.
            if (got == 0 || errno != EINTR) return false;
        }
        return watch_again(epoll_, connection, EPOLLIN);
    }

    void count(Connection& connection, std::size_t bytes) noexcept {
        ++reads_;
        bytes_ += bytes;
        if (connection.carried_data) return;
        connection.carried_data = true;
        ++steady_;
    }

    bool send_back(Connection& connection, std::size_t bytes) noexcept {
        const ssize_t sent = ::send(connection.socket.get(), buffer_.get(), bytes, MSG_NOSIGNAL);
        if (sent == static_cast<ssize_t>(bytes)) return true;
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        const std::byte* rest = buffer_.get() + (sent > 0 ? sent : 0);
        connection.unsent.assign(rest, static_cast<const std::byte*>(buffer_.get()) + bytes);
        connection.sent = 0;
        return watch_again(epoll_, connection, EPOLLIN | EPOLLOUT);
    }

    bool send_rest(Connection& connection) noexcept {
        std::vector<std::byte>& unsent = connection.unsent;
        while (connection.sent < unsent.size()) {
            const ssize_t sent = ::send(connection.socket.get(), unsent.data() + connection.sent,
                                        unsent.size() - connection.sent, MSG_NOSIGNAL);
            if (sent >= 0) {
                connection.sent += static_cast<std::size_t>(sent);
            } else if (errno == EAGAIN) {
                return true;
            } else if (errno != EINTR) {
                return false;
            }
        }
        unsent.clear();
        // What has come meanwhile is an event again by this.
        return watch_again(epoll_, connection, EPOLLIN);
    }

    int epoll_;
    std::uint64_t message_size_;
    std::size_t size_;
    std::unique_ptr<std::byte[]> buffer_;
    std::uint64_t reads_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t steady_ = 0;
};

}  // namespace loopbench
