#include "loops/asio/asio_stream.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "loops/asio_loop.hpp"
#include "loops/socket.hpp"

namespace loopbench {

AsioStream::~AsioStream() {
    assert(read_ == nullptr && connect_ == nullptr && close_ == nullptr &&
           "a stream was destroyed with an operation in flight");
    loop_.withdraw(*this);
}

Start AsioStream::connect(AsioConnectOperation& operation, const Endpoint& endpoint,
                          const SocketOptions& options) {
    assert(socket_ == nullptr && "connecting a stream that is open");
    AsioSocket::Pointer socket = AsioSocket::make(loop_, *this);
    int error = socket->open(endpoint.family());
    // Before the handshake, in which a receive buffer has its part.
    if (error == 0) error = apply(options, socket->descriptor(), endpoint.family());
    if (error != 0) {
        operation.result = Failure::from_errno(error);
        return Start::done;
    }
    socket_ = std::move(socket);
    connect_ = &operation;
    socket_->connect(endpoint);
    return Start::pending;
}

void AsioStream::connected(int error) noexcept {
    AsioConnectOperation& operation = *std::exchange(connect_, nullptr);
    if (error == ECANCELED || close_ != nullptr) {
        operation.result = Failure::cancelled();
    } else {
        operation.result = error == 0 ? Result<>() : Failure::from_errno(error);
    }
    if (operation.result.ok()) {
        begin_connection();
    } else if (close_ == nullptr) {
        socket_.reset();  // the stream is as new
    }
    operation.function(operation);
}

int AsioStream::adopt(Fd descriptor) {
    AsioSocket::Pointer socket = AsioSocket::make(loop_, *this);
    if (const int error = socket->adopt_connected(std::move(descriptor))) return error;
    socket_ = std::move(socket);
    begin_connection();
    return 0;
}

void AsioStream::begin_connection() noexcept {
    kept_ = {};
    end_of_file_ = end_told_ = false;
    reset_sending();
}

void AsioStream::start_reading(Protocol& protocol) {
    assert(read_ == nullptr && "start_reading during a read_some");
    protocol_ = &protocol;
    pushing_ = true;
    if (!open() || delivering_) return;
    if (at_hand() || lost() != 0) {
        post_again();  // found out while nobody listened
    } else if (!socket_->receiving()) {
        receive_for_push();
    }
}

Start AsioStream::read_some(AsioReadOperation& operation, std::span<std::byte> buffer) {
    assert(read_ == nullptr && !pushing_ && "two readers on one stream");
    assert(!buffer.empty());
    protocol_ = nullptr;  // the other face takes over
    operation.buffer = buffer;
    if (!open() || lost() != 0) {
        operation.result = Failure::from_errno(open() ? lost() : ENOTCONN);
        return Start::done;
    }
    if (at_hand() && loop_.may_complete_now()) {
        take_at_hand(operation);
        return Start::done;
    }
    read_ = &operation;
    if (at_hand()) {
        post_again();
    } else if (!socket_->receiving()) {
        receive_for_pull();
    }
    return Start::pending;
}

void AsioStream::cancel(AsioReadOperation& operation) noexcept {
    if (read_ != &operation) return;
    if (receiving_into_caller_) {
        socket_->cancel_receive();  // it completes when the buffer is the caller's again
    } else {
        complete_later(read_, Failure::cancelled());
    }
}

void AsioStream::close(AsioCloseOperation& operation) noexcept {
    protocol_ = nullptr;
    pushing_ = false;
    loop_.withdraw(*this);
    end_sending(Failure::cancelled());
    if (!receiving_into_caller_) complete_later(read_, Failure::cancelled());
    operation.result = {};
    if (socket_ == nullptr) {
        loop_.post(operation);
        return;
    }
    close_ = &operation;
    socket_->close();
}

void AsioStream::closed() noexcept {
    socket_.release();  // it is gone by itself
    loop_.post(*std::exchange(close_, nullptr));
}

/// The long way, from the ready queue: what could not be done inside the owner's call.
void AsioStream::catch_up(Operation& operation) noexcept {
    auto& stream = static_cast<AsioStream&>(operation);
    stream.send_waiting();
    stream.tell_about_pause(stream.protocol_);
    if (!stream.open()) return;
    if (stream.lost() != 0) {
        stream.tell_lost();
    } else {
        stream.serve_reader();
    }
}

void AsioStream::post_again() noexcept {
    if (Operation::next == nullptr) loop_.post(*this);
}

void AsioStream::receive_for_push() {
    socket_->receive(socket_->buffer());
}

void AsioStream::receive_for_pull() {
    receiving_into_caller_ = true;
    socket_->receive(read_->buffer);
}

void AsioStream::received(std::ptrdiff_t result) noexcept {
    if (result == 0 && lost() != 0) result = -lost();  // no end: a send has taken the error away
    if (result <= 0 && close_ != nullptr) result = -ECANCELED;  // by whatever it ended
    if (result == 0) {
        end_of_file_ = true;
    } else if (result < 0 && result != -ECANCELED && lost() == 0) {
        set_lost(static_cast<int>(-result));
    }
    if (std::exchange(receiving_into_caller_, false)) {
        finish_read(result);
        return;
    }
    if (result > 0) kept_ = socket_->buffer().first(static_cast<std::size_t>(result));
    if (!open()) return;
    if (lost() != 0) {
        tell_lost();
    } else {
        serve_reader();
    }
}

void AsioStream::finish_read(std::ptrdiff_t result) noexcept {
    if (result >= 0) {
        read_->result = static_cast<std::size_t>(result);
    } else if (result == -ECANCELED) {
        read_->result = Failure::cancelled();
    } else {
        read_->result = Failure::from_errno(static_cast<int>(-result));
    }
    complete(read_);
}

/// Gives whoever reads what is at hand, or sees to it that there will be something; the stream may
/// be destroyed in it.
void AsioStream::serve_reader() noexcept {
    if (pushing_) {
        push_what_is_at_hand();
    } else if (read_ != nullptr && !receiving_into_caller_) {
        if (at_hand()) {
            take_at_hand(*read_);
            complete(read_);
        } else if (!socket_->receiving()) {
            receive_for_pull();
        }
    }
}

void AsioStream::push_what_is_at_hand() noexcept {
    if (!kept_.empty()) {
        delivering_ = true;
        protocol_->data_received(std::exchange(kept_, {}));
        delivering_ = false;
        // After a loss in one of its sends, `catch_up` is on its way.
        if (!open() || !pushing_ || lost() != 0) return;
    }
    if (end_of_file_) {
        if (!std::exchange(end_told_, true)) protocol_->eof_received();
    } else if (!socket_->receiving()) {
        receive_for_push();
    }
}

void AsioStream::take_at_hand(AsioReadOperation& operation) noexcept {
    const std::size_t size = std::min(kept_.size(), operation.buffer.size());
    if (size > 0) std::memcpy(operation.buffer.data(), kept_.data(), size);
    kept_ = kept_.subspan(size);
    operation.result = size;  // 0 at the end of the file
}

/// Tells whoever reads that the connection is lost; the stream may be destroyed in it.
void AsioStream::tell_lost() noexcept {
    if (protocol_ != nullptr) {
        pushing_ = false;
        std::exchange(protocol_, nullptr)
            ->connection_lost(std::error_code(lost(), std::system_category()));
    } else if (read_ != nullptr && !receiving_into_caller_) {
        read_->result = Failure::from_errno(lost());
        complete(read_);
    }
}

template <class AnyOperation>
void AsioStream::complete(AnyOperation*& waiting) noexcept {
    AnyOperation& operation = *std::exchange(waiting, nullptr);
    operation.function(operation);
}

}  // namespace loopbench
