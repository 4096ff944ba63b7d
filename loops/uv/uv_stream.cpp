#include "loops/uv/uv_stream.hpp"

#include <cassert>
#include <utility>

#include "loops/uv_loop.hpp"

namespace loopbench {

Start UvStream::connect(UvConnectOperation& operation, const Endpoint& endpoint,
                        const SocketOptions& options) {
    assert(connection_ == nullptr && "the stream is connected or connecting");
    connection_ = UvConnection::make_connecting(loop_, operation, endpoint, options);
    if (connection_ == nullptr) return end(operation);
    connection_->owner = this;
    return Start::pending;
}

void UvStream::cancel(UvConnectOperation&) noexcept {
    if (connection_ != nullptr && !connection_->connected) connection_->cancel_connect();
}

void UvStream::close(UvCloseOperation& operation) noexcept {
    if (connection_ != nullptr) {
        connection_->close(operation);
        return;
    }
    operation.result = {};
    loop_.post(operation);
}

Start UvStream::end(Operation& operation) noexcept {
    return loop_.end(operation);
}

void UvStream::adopt(UvConnection::Pointer connection) noexcept {
    assert(connection_ == nullptr && "the stream is connected or connecting");
    connection_ = std::move(connection);
    connection_->owner = this;
    connection_->connected = true;
}

}  // namespace loopbench
