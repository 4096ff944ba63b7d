#pragma once

#include <cerrno>
#include <cstddef>
#include <span>

#include "loops/contract.hpp"
#include "loops/uv/uv_connection.hpp"

namespace loopbench {

class UvLoop;

/// `uv_tcp_t` or `uv_pipe_t`, whichever the address calls for.
class UvStream {
  public:
    explicit UvStream(UvLoop& loop) noexcept : loop_(loop) {}
    UvStream(const UvStream&) = delete;
    UvStream& operator=(const UvStream&) = delete;

    UvLoop& loop() const noexcept { return loop_; }
    bool open() const noexcept { return connection_ != nullptr && connection_->connected; }

    Start connect(UvConnectOperation& operation, const Endpoint& endpoint,
                  const SocketOptions& options);

    void start_reading(Protocol& protocol) noexcept {
        if (open()) connection_->start_reading(protocol);
    }
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
        return open() ? connection_->read_some(operation, buffer) : refuse(operation);
    }
    Start write_all(UvWriteOperation& operation, std::span<const std::byte> bytes) {
        return open() ? connection_->write_all(operation, bytes) : refuse(operation);
    }
    Start shutdown_write(UvShutdownOperation& operation) noexcept {
        return open() ? connection_->shutdown_write(operation) : refuse(operation);
    }
    void close(UvCloseOperation& operation) noexcept;

    void cancel(UvReadOperation& operation) noexcept {
        if (connection_ != nullptr) connection_->cancel(operation);
    }
    void cancel(UvWriteOperation& operation) noexcept {
        if (connection_ != nullptr) connection_->cancel(operation);
    }
    void cancel(UvShutdownOperation& operation) noexcept {
        if (connection_ != nullptr) connection_->cancel(operation);
    }
    void cancel(UvConnectOperation& operation) noexcept;

  private:
    friend class UvConnection;
    friend class UvListening;

    /// Ends an operation that needs a connection.
    template <class AnyOperation>
    Start refuse(AnyOperation& operation) noexcept {
        operation.result = Failure::from_errno(ENOTCONN);
        return end(operation);
    }
    Start end(Operation& operation) noexcept;

    /// Takes over a connection that has just been accepted.
    void adopt(UvConnection::Pointer connection) noexcept;

    UvLoop& loop_;
    UvConnection::Pointer connection_;
};

}  // namespace loopbench
