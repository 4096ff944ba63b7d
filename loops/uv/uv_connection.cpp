#include "loops/uv/uv_connection.hpp"

#include <sys/un.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "loops/uv_loop.hpp"

namespace loopbench {

namespace {

UvConnection& connection_of(const uv_handle_t* handle) noexcept {
    return *static_cast<UvConnection*>(handle->data);
}
UvConnection& connection_of(const uv_stream_t* stream) noexcept {
    return *static_cast<UvConnection*>(stream->data);
}

uv_buf_t buffer_of(std::span<const std::byte> bytes) noexcept {
    uv_buf_t buffer;  // not by uv_buf_init, whose length is an unsigned int
    buffer.base = reinterpret_cast<char*>(const_cast<std::byte*>(bytes.data()));
    buffer.len = bytes.size();
    return buffer;
}

}  // namespace

UvConnection::Pointer UvConnection::make_unconnected(UvLoop& loop, int family) {
    Pointer connection(std::make_unique<UvConnection>(loop).release());
    // Neither can fail without a socket.
    if (family == AF_UNIX) {
        uv_pipe_init(loop.native(), &connection->handle_.pipe, 0);
    } else {
        uv_tcp_init(loop.native(), &connection->handle_.tcp);
    }
    connection->handle_.any.data = connection.get();
    return connection;
}

UvConnection::Pointer UvConnection::make_connecting(UvLoop& loop, UvConnectOperation& operation,
                                                    const Endpoint& endpoint,
                                                    const SocketOptions& options) {
    Pointer connection = make_unconnected(loop, endpoint.family());
    const int status = connection->connect(operation, endpoint, options);
    if (status < 0) {
        operation.result = uv_failure(status);
        return nullptr;
    }
    return connection;
}

int UvConnection::connect(UvConnectOperation& operation, const Endpoint& endpoint,
                          const SocketOptions& options) noexcept {
    operation.request.data = &operation;
    if (endpoint.is_unix()) {
        // libuv 1.44 takes a path as a string and cuts what is too long.
        const std::size_t length = std::strlen(endpoint.unix_path());
        if (length == 0) return UV_EINVAL;
        if (length >= sizeof(sockaddr_un::sun_path)) return UV_ENAMETOOLONG;
        uv_pipe_connect(&operation.request, &handle_.pipe, endpoint.unix_path(), on_connected);
        set_buffers(options);
        return 0;
    }
    // The socket comes first: a receive buffer has its part in the handshake.
    const int descriptor = socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    uv_tcp_open(&handle_.tcp, descriptor);
    set_buffers(options);
    if (options.no_delay) uv_tcp_nodelay(&handle_.tcp, 1);
    return uv_tcp_connect(&operation.request, &handle_.tcp, endpoint.address(), on_connected);
}

void UvConnection::set_buffers(const SocketOptions& options) noexcept {
    int send = options.send_buffer;
    int receive = options.receive_buffer;
    if (send > 0) uv_send_buffer_size(&handle_.any, &send);
    if (receive > 0) uv_recv_buffer_size(&handle_.any, &receive);
}

void UvConnection::on_connected(uv_connect_t* request, int status) noexcept {
    auto& operation = *static_cast<UvConnectOperation*>(request->data);
    UvConnection& connection = connection_of(request->handle);
    if (status == 0) {
        connection.connected = true;
        operation.result = {};
    } else {
        operation.result = uv_failure(status);
        // The stream is as new, unless it waits for its `close`.
        if (connection.closing_ == nullptr) connection.owner->connection_.reset();
    }
    operation.function(operation);
}

void UvConnection::cancel_connect() noexcept {
    start_closing();
}

// Push.

void UvConnection::start_reading(Protocol& protocol) noexcept {
    protocol_ = &protocol;
    if (lost_ != 0) {
        if (!lost_told_) schedule();
        return;
    }
    if (reading_ == Reading::push || end_told_) return;
    uv_read_stop(stream());
    reading_ = Reading::push;
    const int status = uv_read_start(stream(), lend_buffer, on_data);
    if (status < 0) {
        lose(status);
        schedule();
    }
}

void UvConnection::stop_reading() noexcept {
    if (reading_ != Reading::push) return;
    uv_read_stop(stream());
    reading_ = Reading::stopped;
}

void UvConnection::lend_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
    *buffer = buffer_of(connection_of(handle).loop().read_buffer());
}

void UvConnection::on_data(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
    UvConnection& connection = connection_of(stream);
    if (count > 0) {
        connection.protocol_->data_received(
            {reinterpret_cast<std::byte*>(buffer->base), static_cast<std::size_t>(count)});
    } else if (count == UV_EOF) {
        connection.stop_reading();
        connection.end_told_ = true;
        connection.protocol_->eof_received();
    } else if (count < 0) {
        connection.lose(static_cast<int>(count));
        connection.tell_protocol();
    }
}

void UvConnection::write(std::span<const std::byte> bytes) {
    if (lost_ != 0 || bytes.empty()) return;
    const uv_buf_t buffer = buffer_of(bytes);
    // UV_EAGAIN, too, when something is queued already.
    const int taken = uv_try_write(stream(), &buffer, 1);
    if (taken == UV_EAGAIN) {
        queue(bytes);
    } else if (taken < 0) {
        lose(taken);
        schedule();
    } else if (static_cast<std::size_t>(taken) < bytes.size()) {
        queue(bytes.subspan(static_cast<std::size_t>(taken)));
    }
}

/// A chunk is libuv's request and the bytes behind it, in one allocation.
void UvConnection::queue(std::span<const std::byte> bytes) {
    auto chunk = std::make_unique_for_overwrite<std::byte[]>(sizeof(uv_write_t) + bytes.size());
    auto* request = new (chunk.get()) uv_write_t;
    std::byte* copy = chunk.get() + sizeof(uv_write_t);
    std::memcpy(copy, bytes.data(), bytes.size());
    const uv_buf_t buffer = buffer_of({copy, bytes.size()});
    const int status = uv_write(request, stream(), &buffer, 1, on_chunk_written);
    if (status < 0) {
        lose(status);
        schedule();
        return;
    }
    chunk.release();
    if (!paused_ && queued_bytes() > loop().options().high_water) schedule();
}

void UvConnection::on_chunk_written(uv_write_t* request, int status) noexcept {
    const std::unique_ptr<std::byte[]> chunk(reinterpret_cast<std::byte*>(request));
    UvConnection& connection = connection_of(request->handle);
    if (connection.protocol_ == nullptr || connection.lost_ != 0) return;
    if (status < 0) {
        connection.lose(status);
        connection.tell_protocol();
    } else if (connection.paused_ &&
               connection.queued_bytes() <= connection.loop().options().high_water / 4) {
        connection.paused_ = false;
        connection.protocol_->resume_writing();
    }
}

std::size_t UvConnection::queued_bytes() const noexcept {
    return lost_ == 0 ? uv_stream_get_write_queue_size(&handle_.stream) : 0;
}

void UvConnection::lose(int status) noexcept {
    stop_reading();
    lost_ = uv_failure(status).error().value();
}

void UvConnection::tell_protocol() noexcept {
    if (protocol_ == nullptr || lost_told_) return;
    if (lost_ != 0) {
        lost_told_ = true;
        protocol_->connection_lost(std::error_code(lost_, std::system_category()));
    } else if (!paused_ && queued_bytes() > loop().options().high_water) {
        paused_ = true;
        protocol_->pause_writing();
    }
}

// Pull.

Start UvConnection::read_some(UvReadOperation& operation, std::span<std::byte> buffer) noexcept {
    assert(read_ == nullptr && !buffer.empty());
    if (end_of_file_) {
        operation.result = std::size_t{0};
        return end(operation);
    }
    if (reading_ != Reading::pull) {
        stop_reading();
        const int status = uv_read_start(stream(), pass_buffer, on_read);
        if (status < 0) {
            operation.result = uv_failure(status);
            return end(operation);
        }
        reading_ = Reading::pull;
    }
    operation.buffer = buffer;
    read_ = &operation;
    return Start::pending;
}

void UvConnection::pass_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
    const UvReadOperation* read = connection_of(handle).read_;
    // Without a buffer libuv does not read, and calls back with UV_ENOBUFS.
    *buffer = buffer_of(read != nullptr ? read->buffer : std::span<std::byte>());
}

void UvConnection::on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t*) noexcept {
    UvConnection& connection = connection_of(stream);
    if (count == 0) return;  // EAGAIN
    const std::uint64_t turn = connection.loop().counters().turns;
    if (count < 0) {
        // libuv goes on reading between two `read_some`, because to stop and start would cost two
        // epoll_ctl a round trip. It stops here when something has come that nobody asks for. (Not
        // in the turn of the last read: then libuv is only looking whether there is more.)
        if (count == UV_ENOBUFS && connection.read_ == nullptr &&
            connection.last_read_turn_ == turn) {
            return;
        }
        uv_read_stop(stream);
        connection.reading_ = Reading::stopped;
        if (count == UV_EOF) connection.end_of_file_ = true;
    }
    connection.last_read_turn_ = turn;
    UvReadOperation* read = std::exchange(connection.read_, nullptr);
    if (read == nullptr) return;
    if (count >= 0) {
        read->result = static_cast<std::size_t>(count);
    } else if (count == UV_EOF) {
        read->result = std::size_t{0};
    } else {
        read->result = uv_failure(static_cast<int>(count));
    }
    read->function(*read);
}

void UvConnection::cancel(UvReadOperation& operation) noexcept {
    if (read_ != &operation) return;
    read_ = nullptr;
    operation.result = Failure::cancelled();
    owe(operation);
}

Start UvConnection::write_all(UvWriteOperation& operation,
                              std::span<const std::byte> bytes) noexcept {
    uv_buf_t buffer = buffer_of(bytes);
    int status = uv_try_write(stream(), &buffer, 1);
    if (status >= 0) {
        buffer.base += status;
        buffer.len -= static_cast<std::size_t>(status);
    }
    if (status >= 0 && buffer.len == 0) {
        operation.result = bytes.size();
        return end(operation);
    }
    if (status >= 0 || status == UV_EAGAIN) {
        operation.request.data = &operation;
        operation.size = bytes.size();
        status = uv_write(&operation.request, stream(), &buffer, 1, on_written);
        if (status == 0) return Start::pending;
    }
    operation.result = uv_failure(status);
    return end(operation);
}

void UvConnection::on_written(uv_write_t* request, int status) noexcept {
    auto& operation = *static_cast<UvWriteOperation*>(request->data);
    if (status == 0) {
        operation.result = operation.size;
    } else {
        operation.result = uv_failure(status);
    }
    operation.function(operation);
}

// Both.

Start UvConnection::shutdown_write(UvShutdownOperation& operation) noexcept {
    if (lost_ != 0) {
        operation.result = Failure::from_errno(lost_);
        return end(operation);
    }
    if (shut_down_) {
        operation.result = {};
        return end(operation);
    }
    operation.request.data = &operation;
    const int status = uv_shutdown(&operation.request, stream(), on_shut_down);
    if (status == 0) return Start::pending;
    operation.result = uv_failure(status);
    return end(operation);
}

void UvConnection::on_shut_down(uv_shutdown_t* request, int status) noexcept {
    auto& operation = *static_cast<UvShutdownOperation*>(request->data);
    if (status == 0) {
        connection_of(request->handle).shut_down_ = true;
        operation.result = {};
    } else {
        operation.result = uv_failure(status);
    }
    operation.function(operation);
}

Start UvConnection::end(Operation& operation) noexcept {
    if (loop().may_end_at_once()) return Start::done;
    owe(operation);
    return Start::pending;
}

void UvConnection::deliver(Operation& operation) noexcept {
    auto& connection = static_cast<UvConnection&>(operation);
    connection.settle();
    connection.tell_protocol();
}

void UvConnection::close(UvCloseOperation& operation) noexcept {
    assert(closing_ == nullptr);
    closing_ = &operation;
    start_closing();
}

void UvConnection::let_go() noexcept {
    assert(read_ == nullptr);
    owner = nullptr;
    start_closing();
}

void UvConnection::start_closing() noexcept {
    connected = false;
    protocol_ = nullptr;
    if (!uv_is_closing(&handle_.any)) uv_close(&handle_.any, on_closed);
}

void UvConnection::on_closed(uv_handle_t* handle) noexcept {
    // libuv has ended its requests as cancelled by now.
    std::unique_ptr<UvConnection> connection(&connection_of(handle));
    if (UvReadOperation* read = std::exchange(connection->read_, nullptr)) {
        read->result = Failure::cancelled();
        read->function(*read);
    }
    connection->settle_for_good();
    if (connection->owner != nullptr) connection->owner->connection_.release();
    UvCloseOperation* closing = connection->closing_;
    connection.reset();
    if (closing == nullptr) return;
    closing->result = {};
    closing->function(*closing);
}

}  // namespace loopbench
