#include "loops/asio/asio_socket.hpp"

#include <sys/socket.h>

#include <cassert>
#include <utility>

#include "loops/asio_loop.hpp"

namespace loopbench {

using boost::asio::cancellation_type;
using boost::asio::socket_base;
using boost::system::error_code;

AsioSocket::Pointer AsioSocket::make(AsioLoop& loop, Owner& owner) {
    return Pointer(std::make_unique<AsioSocket>(loop, owner).release());
}

AsioSocket::AsioSocket(AsioLoop& loop, Owner& owner)
    : loop_(loop), owner_(&owner), socket_(loop.native()) {}

int AsioSocket::open(int family) noexcept {
    error_code error;
    socket_.open(boost::asio::generic::stream_protocol(family, 0), error);
    return errno_of(error);
}

int AsioSocket::adopt_listening(Fd descriptor) noexcept {
    error_code error;
    socket_.assign(boost::asio::generic::stream_protocol(AF_UNSPEC, 0), descriptor.get(), error);
    if (!error) descriptor.release();
    return errno_of(error);
}

int AsioSocket::adopt_connected(Fd descriptor) noexcept {
    if (const int errno_value = adopt_listening(std::move(descriptor))) return errno_value;
    // io_uring refuses to wait with a receive on a descriptor that is non-blocking; epoll needs
    // it so, and Asio would make it so later.
    error_code error;
    socket_.native_non_blocking(!asio_operations_are_in_the_kernel, error);
    return errno_of(error);
}

std::span<std::byte> AsioSocket::buffer() {
    const std::size_t size = loop_.options().read_buffer;
    if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<std::byte[]>(size);
    return {buffer_.get(), size};
}

void AsioSocket::connect(const Endpoint& endpoint) {
    assert(!writing_);
    writing_ = true;
    ++holds_;
    socket_.async_connect({endpoint.address(), endpoint.length},
                          write_handler<&AsioSocket::on_connected>());
}

void AsioSocket::on_connected(const error_code& error) noexcept {
    writing_ = false;
    if (owner_ != nullptr) {
        loop_.begin_callback();
        owner_->connected(errno_of(error));
    }
    returned();
}

void AsioSocket::cancel_connect() noexcept {
    if (writing_) write_signal_.emit(cancellation_type::total);
}

void AsioSocket::receive(std::span<std::byte> buffer) {
    assert(!reading_);
    reading_ = true;
    ++holds_;
    socket_.async_read_some(boost::asio::buffer(buffer.data(), buffer.size()),
                            read_handler<&AsioSocket::on_received>());
}

void AsioSocket::on_received(const error_code& error, std::size_t bytes) noexcept {
    reading_ = false;
    if (owner_ != nullptr) {
        loop_.begin_callback();
        // Asio takes the end of a file for an error.
        if (error && error != boost::asio::error::eof) {
            owner_->received(-std::ptrdiff_t{errno_of(error)});
        } else {
            owner_->received(static_cast<std::ptrdiff_t>(bytes));
        }
    }
    returned();
}

void AsioSocket::cancel_receive() noexcept {
    if (reading_) read_signal_.emit(cancellation_type::total);
}

void AsioSocket::wait_readable() {
    if (reading_) return;
    reading_ = true;
    ++holds_;
    socket_.async_wait(socket_base::wait_read, read_handler<&AsioSocket::on_readable>());
}

void AsioSocket::on_readable(const error_code&) noexcept {
    reading_ = false;
    // An error will be found by whoever reads.
    if (owner_ != nullptr && !closing_) {
        loop_.begin_callback();
        owner_->readable();
    }
    returned();
}

void AsioSocket::wait_writable() {
    if (writing_) return;
    writing_ = true;
    ++holds_;
    socket_.async_wait(socket_base::wait_write, write_handler<&AsioSocket::on_writable>());
}

void AsioSocket::on_writable(const error_code&) noexcept {
    writing_ = false;
    if (owner_ != nullptr && !closing_) {
        loop_.begin_callback();
        owner_->writable();
    }
    returned();
}

void AsioSocket::close() noexcept {
    start_closing();
    ++holds_;
    returned();
}

void AsioSocket::let_go() noexcept {
    owner_ = nullptr;
    close();
}

void AsioSocket::start_closing() noexcept {
    if (std::exchange(closing_, true)) return;
    error_code ignored;
    if (!reading_ && !writing_) {
        socket_.close(ignored);
        return;
    }
    socket_.cancel(ignored);
    // The peer is to know now, not when the last operation is back. Where this fails there is no
    // connection yet.
    ::shutdown(descriptor(), SHUT_RDWR);
}

/// An operation, or a call that may have ended the last one, is over.
void AsioSocket::returned() noexcept {
    if (--holds_ > 0 || !closing_) return;
    const std::unique_ptr<AsioSocket> self(this);
    error_code ignored;
    socket_.close(ignored);
    if (owner_ != nullptr) owner_->closed();
}

}  // namespace loopbench
