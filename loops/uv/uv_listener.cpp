#include "loops/uv/uv_listener.hpp"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <utility>

#include "loops/socket.hpp"
#include "loops/uv_loop.hpp"

namespace loopbench {

Result<> UvListener::listen(const Endpoint& endpoint, const ListenOptions& options) {
    assert(listening_ == nullptr && "the listener listens already");
    UvListening::Pointer listening(
        std::make_unique<UvListening>(loop_, endpoint.family(), options.socket).release());
    const int status = listening->listen(endpoint, options.backlog);
    if (status < 0) return uv_failure(status);
    listening_ = std::move(listening);
    listening_->owner = this;
    return {};
}

void UvListener::close(UvCloseOperation& operation) noexcept {
    if (listening_ != nullptr) {
        listening_->close(operation);
        return;
    }
    operation.result = {};
    loop_.post(operation);
}

UvListening::UvListening(UvLoop& loop, int family, const SocketOptions& options) noexcept
    : UvOwed(loop, deliver), family_(family), options_(options) {
    // Neither can fail without a socket.
    if (family == AF_UNIX) {
        uv_pipe_init(loop.native(), &handle_.pipe, 0);
    } else {
        uv_tcp_init(loop.native(), &handle_.tcp);
    }
    handle_.any.data = this;
}

int UvListening::listen(const Endpoint& endpoint, int backlog) noexcept {
    int status = 0;
    if (family_ == AF_UNIX) {
        status = bind_unix(endpoint);
    } else {
        status = uv_tcp_bind(&handle_.tcp, endpoint.address(), 0);
    }
    if (status < 0) return status;
    if (family_ != AF_UNIX) {
        // The accepted sockets inherit them.
        if (const int error = apply(options_, descriptor(), family_)) return -error;
    }
    // Says now what `uv_tcp_bind` keeps to itself: EADDRINUSE.
    return uv_listen(&handle_.stream, backlog, on_connection);
}

/// By hand, because libuv 1.44 cuts a long path, takes ENOENT for EACCES, and removes the path
/// when the handle is closed, which the contract leaves to the caller.
int UvListening::bind_unix(const Endpoint& endpoint) noexcept {
    Fd socket = open_socket(AF_UNIX);
    if (!socket || ::bind(socket.get(), endpoint.address(), endpoint.length) != 0) return -errno;
    const int status = uv_pipe_open(&handle_.pipe, socket.get());
    if (status == 0) socket.release();
    return status;
}

int UvListening::descriptor() const noexcept {
    uv_os_fd_t descriptor = -1;
    uv_fileno(&handle_.any, &descriptor);
    return descriptor;
}

Endpoint UvListening::local_endpoint() const noexcept {
    return local_endpoint_of(descriptor());
}

Start UvListening::accept(UvAcceptOperation& operation, UvStream& stream) {
    assert(accept_ == nullptr && closing_ == nullptr);
    operation.stream = &stream;
    if (std::exchange(waiting_, false) && take(operation)) {
        if (loop().may_complete_now()) return Start::done;
        owe(operation);
    } else {
        accept_ = &operation;
    }
    return Start::pending;
}

bool UvListening::take(UvAcceptOperation& operation) {
    UvConnection::Pointer connection = UvConnection::make_unconnected(loop(), family_);
    if (uv_accept(&handle_.stream, connection->stream()) < 0) return false;
    // TCP connections have inherited them; Unix ones do not.
    if (family_ == AF_UNIX) connection->apply_options(options_);
    operation.stream->adopt(std::move(connection));
    operation.result = {};
    return true;
}

void UvListening::on_connection(uv_stream_t* stream, int status) noexcept {
    UvListening& listening = *static_cast<UvListening*>(stream->data);
    if (status < 0) return;  // a shortage: libuv tries again
    if (listening.accept_ == nullptr) {
        // libuv keeps it and accepts no more until it is taken.
        listening.waiting_ = true;
    } else if (listening.take(*listening.accept_)) {
        UvAcceptOperation& operation = *std::exchange(listening.accept_, nullptr);
        listening.loop().complete(operation);
    }
}

void UvListening::cancel(UvAcceptOperation& operation) noexcept {
    if (accept_ != &operation) return;
    accept_ = nullptr;
    operation.result = Failure::cancelled();
    owe(operation);
}

void UvListening::close(UvCloseOperation& operation) noexcept {
    assert(closing_ == nullptr);
    closing_ = &operation;
    start_closing();
}

void UvListening::let_go() noexcept {
    assert(accept_ == nullptr);
    owner = nullptr;
    start_closing();
}

void UvListening::start_closing() noexcept {
    if (!uv_is_closing(&handle_.any)) uv_close(&handle_.any, on_closed);
}

void UvListening::on_closed(uv_handle_t* handle) noexcept {
    std::unique_ptr<UvListening> listening(static_cast<UvListening*>(handle->data));
    UvLoop& loop = listening->loop();
    if (UvAcceptOperation* accept = std::exchange(listening->accept_, nullptr)) {
        accept->result = Failure::cancelled();
        loop.complete(*accept);
    }
    listening->settle_for_good();
    if (listening->owner != nullptr) listening->owner->listening_.release();
    UvCloseOperation* closing = listening->closing_;
    listening.reset();
    if (closing == nullptr) return;
    closing->result = {};
    loop.complete(*closing);
}

void UvListening::deliver(Operation& operation) noexcept {
    static_cast<UvListening&>(operation).settle();
}

}  // namespace loopbench
