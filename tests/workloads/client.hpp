#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "harness/address.hpp"
#include "workloads/pattern.hpp"

namespace loopbench {

/// A foreign client: a blocking socket.
class Client {
  public:
    explicit Client(const std::string& address) {
        const Address parsed = parse_address(address);
        descriptor_ = socket(parsed.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(connect(descriptor_, parsed.data(), parsed.length), 0) << address;
    }
    Client(Client&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    ~Client() {
        if (descriptor_ >= 0) close(descriptor_);
    }

    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// `count` bytes, or fewer when the connection ended before.
    std::string receive(std::size_t count) const {
        std::string bytes(count, '\0');
        std::size_t had = 0;
        while (had < count) {
            const ssize_t got = recv(descriptor_, bytes.data() + had, count - had, 0);
            if (got <= 0) break;
            had += static_cast<std::size_t>(got);
        }
        bytes.resize(had);
        return bytes;
    }

    /// Sending fails from now on when nothing could be sent for this long.
    void limit_sending(std::chrono::microseconds patience) const {
        const timeval time{.tv_sec = 0, .tv_usec = patience.count()};
        setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    }

    void end_sending() const { shutdown(descriptor_, SHUT_WR); }

    /// Ends the connection by a reset: what is unsent is dropped (TCP).
    void reset() {
        const linger at_once{1, 0};
        setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(std::exchange(descriptor_, -1));
    }

  private:
    int descriptor_;
};

/// Bytes `from` to `from + count` of the stream of a connection.
inline std::string pattern_bytes(std::uint32_t connection, std::size_t count,
                                 std::size_t from = 0) {
    std::string bytes(count, '\0');
    for (std::size_t k = 0; k < count; ++k) {
        bytes[k] = static_cast<char>(Pattern::at(Pattern::phase(connection) + from + k));
    }
    return bytes;
}

}  // namespace loopbench
