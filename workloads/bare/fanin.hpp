#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "workloads/bare/server.hpp"
#include "workloads/intake.hpp"

namespace loopbench {

/// Takes in what many senders send, by one recv a delivery into one buffer for all, and checks it.
class BareFanin {
  public:
    struct Connection : BareConnection {
        Connection(BareFanin& fanin, Fd connected) noexcept
            : BareConnection(std::move(connected)), owner(fanin), sender(fanin.intake_) {}
        ~Connection() {
            if (owner.acknowledged_ == this) owner.acknowledged_ = nullptr;
        }

        BareFanin& owner;
        Sender sender;
        bool known = false;
    };

    BareFanin(const SocketParameters& parameters, SelfCheck& check, int epoll)
        : epoll_(epoll),
          intake_(parameters, check),
          size_(parameters.read_buffer),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(size_)) {
        acknowledgements_.fill(std::byte{0x06});
    }

    WorkloadCounters counters() const { return intake_.counters(); }

    bool ready(Connection& connection, std::uint32_t events) noexcept {
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) connection.hang_up = true;
        if ((events & EPOLLOUT) != 0) acknowledge();
        return receive(connection);
    }

  private:
    bool receive(Connection& connection) noexcept {
        for (int i = 0; i < bare_reads_per_event; ++i) {
            const ssize_t got = ::recv(connection.socket.get(), buffer_.get(), size_, 0);
            if (got > 0) {
                const auto bytes = static_cast<std::size_t>(got);
                if (!connection.sender.receive({buffer_.get(), bytes})) return false;
                if (!connection.known) become_known(connection);
                if (const std::uint64_t due = intake_.take_due(); due > 0) {
                    due_ += due;
                    acknowledge();
                }
                // A short read has drained the socket, unless its end lies behind it.
                if (bytes < size_ && !connection.hang_up) return true;
            } else if (got == 0) {
                connection.sender.end();
                return false;
            } else if (errno == EAGAIN) {
                return true;
            } else if (errno != EINTR) {
                return false;
            }
        }
        return watch_again(epoll_, connection, EPOLLIN | writing_of(connection));
    }

    void become_known(Connection& connection) noexcept {
        if (!connection.sender.known()) return;
        connection.known = true;
        if (connection.sender.number() != 0) return;
        acknowledged_ = &connection;
        armed_ = false;
        acknowledge();
    }

    /// Sends what is due on connection number 0, once there is one. If that one is broken, its own
    /// event will say so.
    void acknowledge() noexcept {
        while (due_ > 0 && acknowledged_ != nullptr) {
            const std::size_t count = std::min<std::uint64_t>(due_, acknowledgements_.size());
            const ssize_t sent =
                ::send(acknowledged_->socket.get(), acknowledgements_.data(), count, MSG_NOSIGNAL);
            if (sent >= 0) {
                due_ -= static_cast<std::uint64_t>(sent);
            } else if (errno != EINTR) {
                if (errno == EAGAIN) arm(true);
                return;
            }
        }
        if (armed_) arm(false);
    }

    void arm(bool wanted) noexcept {
        if (armed_ == wanted || acknowledged_ == nullptr) return;
        armed_ = wanted;
        watch_again(epoll_, *acknowledged_, EPOLLIN | writing_of(*acknowledged_));
    }
    std::uint32_t writing_of(const Connection& connection) const noexcept {
        return armed_ && acknowledged_ == &connection ? std::uint32_t{EPOLLOUT} : 0;
    }

    int epoll_;
    Intake intake_;
    std::size_t size_;
    std::unique_ptr<std::byte[]> buffer_;
    std::array<std::byte, 64> acknowledgements_;
    Connection* acknowledged_ = nullptr;  // number 0
    std::uint64_t due_ = 0;
    bool armed_ = false;  // number 0 is watched for room to send
};

}  // namespace loopbench
