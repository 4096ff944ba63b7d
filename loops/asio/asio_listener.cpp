#include "loops/asio/asio_listener.hpp"

#include "loops/asio_loop.hpp"

namespace loopbench {

int AsioListener::begin_watching(Fd descriptor) {
    AsioSocket::Pointer socket = AsioSocket::make(loop_, *this);
    if (const int error = socket->adopt_listening(std::move(descriptor))) return error;
    socket_ = std::move(socket);
    return 0;
}

void AsioListener::close(AsioCloseOperation& operation) noexcept {
    stop_accepting();
    operation.result = {};
    if (socket_ == nullptr) {
        loop_.post(operation);
        return;
    }
    close_ = &operation;
    socket_->close();
}

void AsioListener::closed() noexcept {
    socket_.release();  // it is gone by itself
    loop_.post(*std::exchange(close_, nullptr));
}

}  // namespace loopbench
