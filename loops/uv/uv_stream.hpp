#pragma once

#include <cstddef>
#include <span>

#include "loops/contract.hpp"
#include "loops/uv/uv_connection.hpp"

namespace loopbench {

class UvLoop;

/// `uv_tcp_t` or `uv_pipe_t`, whichever the address calls for.
///
/// A write that waits cannot be taken back from libuv: `cancel` of it has no effect, and it
/// completes when the kernel has taken it all, when the connection breaks or when it is closed.
class UvStream {
  public:
    explicit UvStream(UvLoop& loop) noexcept : loop_(loop) {}
    UvStream(const UvStream&) = delete;
    UvStream& operator=(const UvStream&) = delete;

    UvLoop& loop() const noexcept { return loop_; }
    bool open() const noexcept { return connection_ != nullptr && connection_->connected; }

    Start connect(UvConnectOperation& operation, const Endpoint& endpoint,
                  const SocketOptions& options);

    void start_reading(Protocol& protocol) noexcept { connection_->start_reading(protocol); }
    void stop_reading() noexcept {
        if (open()) connection_->stop_reading();
    }
    void write(std::span<const std::byte> bytes) {
        if (open()) connection_->write(bytes);
    }
    std::size_t queued_bytes() const noexcept {
        return connection_ != nullptr ? connection_->queued_bytes() : 0;
    }

    Start read_some(UvReadOperation& operation, std::span<std::byte> buffer) noexcept {
        return connection_->read_some(operation, buffer);
    }
    Start write_all(UvWriteOperation& operation, std::span<const std::byte> bytes) noexcept {
        return connection_->write_all(operation, bytes);
    }
    Start shutdown_write(UvShutdownOperation& operation) noexcept {
        return connection_->shutdown_write(operation);
    }
    void close(UvCloseOperation& operation) noexcept;

    void cancel(UvReadOperation& operation) noexcept {
        if (connection_ != nullptr) connection_->cancel(operation);
    }
    void cancel(UvWriteOperation&) noexcept {}
    void cancel(UvConnectOperation& operation) noexcept;

  private:
    friend class UvConnection;
    friend class UvListener;

    /// Takes over a connection that has just been accepted.
    void adopt(UvConnection::Pointer connection) noexcept;

    UvLoop& loop_;
    UvConnection::Pointer connection_;
};

}  // namespace loopbench
