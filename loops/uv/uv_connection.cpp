#include "loops/uv/uv_connection.hpp"

#include <sys/un.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "loops/socket.hpp"
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
    operation.request.data = &operation;
    Pointer connection;
    int status = 0;
    if (endpoint.is_unix()) {
        connection = make_unconnected(loop, AF_UNIX);
        status = connection->connect_unix(operation, endpoint, options);
    } else {
        // With its socket from the start: a receive buffer has its part in the handshake.
        auto fresh = std::make_unique<UvConnection>(loop);
        status = uv_tcp_init_ex(loop.native(), &fresh->handle_.tcp,
                                static_cast<unsigned>(endpoint.family()));
        if (status == 0) {
            connection.reset(fresh.release());
            connection->handle_.any.data = connection.get();
            status = connection->apply_options(options);
        }
        if (status == 0) {
            status = uv_tcp_connect(&operation.request, &connection->handle_.tcp,
                                    endpoint.address(), on_connected);
        }
    }
    if (status == 0) return connection;
    operation.result = uv_failure(status);
    return nullptr;
}

int UvConnection::connect_unix(UvConnectOperation& operation, const Endpoint& endpoint,
                               const SocketOptions& options) noexcept {
    // libuv 1.44 takes a path as a string and cuts what is too long.
    const std::size_t length = std::strlen(endpoint.unix_path());
    if (length == 0) return UV_EINVAL;
    if (length >= sizeof(sockaddr_un::sun_path)) return UV_ENAMETOOLONG;
    uv_pipe_connect(&operation.request, &handle_.pipe, endpoint.unix_path(), on_connected);
    // Without a socket the callback will say why.
    apply_options(options);
    return 0;
}

int UvConnection::apply_options(const SocketOptions& options) noexcept {
    uv_os_fd_t socket = -1;
    const int status = uv_fileno(&handle_.any, &socket);
    const int family = handle_.any.type == UV_NAMED_PIPE ? AF_UNIX : AF_INET;
    return status < 0 ? status : -apply(options, socket, family);
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
    connection.loop().complete(operation);
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
    connection.loop().begin_callback();
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
    connection.loop().begin_callback();
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
    lost_ = -status;
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
    if (end_of_file_ || lost_ != 0) {
        if (lost_ == 0) {
            operation.result = std::size_t{0};
        } else {
            operation.result = Failure::from_errno(lost_);
        }
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
        if (count == UV_EOF) {
            connection.end_of_file_ = true;
        } else if (connection.read_ != nullptr) {
            connection.lost_ = static_cast<int>(-count);
        }
    }
    connection.last_read_turn_ = turn;
    UvReadOperation* read = std::exchange(connection.read_, nullptr);
    if (read == nullptr) return;
    if (connection.lost_ != 0) {
        read->result = Failure::from_errno(connection.lost_);
    } else {
        read->result = count > 0 ? static_cast<std::size_t>(count) : std::size_t{0};
    }
    connection.loop().complete(*read);
}

void UvConnection::cancel(UvReadOperation& operation) noexcept {
    if (read_ != &operation) return;
    read_ = nullptr;
    operation.result = Failure::cancelled();
    owe(operation);
}

Start UvConnection::write_all(UvWriteOperation& operation, std::span<const std::byte> bytes) {
    assert((writing_ == nullptr || writing_->operation == nullptr) && "two write_all at a time");
    const uv_buf_t buffer = buffer_of(bytes);
    const int taken = lost_ == 0 ? uv_try_write(stream(), &buffer, 1) : -lost_;
    if (taken < 0 && taken != UV_EAGAIN) {
        operation.result = uv_failure(taken);
        return end(operation);
    }
    const std::size_t sent = taken > 0 ? static_cast<std::size_t>(taken) : 0;
    if (taken >= 0 && sent == bytes.size()) {
        operation.result = sent;
        return end(operation);
    }
    return write_rest(operation, bytes.size(), bytes.subspan(sent));
}

Start UvConnection::write_rest(UvWriteOperation& operation, std::size_t size,
                               std::span<const std::byte> rest) {
    if (writing_ == nullptr) writing_ = std::make_unique<Writing>();
    const uv_buf_t buffer = buffer_of(rest);
    const int status = uv_write(&writing_->request, stream(), &buffer, 1, on_written);
    if (status < 0) {
        operation.result = uv_failure(status);
        return end(operation);
    }
    writing_->request.data = writing_.get();
    writing_->operation = &operation;
    writing_->size = size;
    return Start::pending;
}

void UvConnection::on_written(uv_write_t* request, int status) noexcept {
    auto& writing = *static_cast<Writing*>(request->data);
    UvConnection& connection = connection_of(request->handle);
    UvWriteOperation* operation = std::exchange(writing.operation, nullptr);
    if (operation == nullptr) {  // cancelled: nobody else has it
        std::unique_ptr<Writing>(&writing).reset();
        return;
    }
    if (status == 0) {
        operation->result = writing.size;
    } else {
        operation->result = uv_failure(status);
    }
    connection.loop().complete(*operation);
}

void UvConnection::cancel(UvWriteOperation& operation) noexcept {
    if (writing_ == nullptr || writing_->operation != &operation) return;
    uv_write_t& request = writing_->request;
    // Without buffers it has been written, and only the callback is outstanding: the result was
    // first.
    if (request.bufs == nullptr) return;
    // The caller's bytes are the caller's again after this. libuv has no call to replace them by a
    // copy; its request, whose fields have not changed since libuv 1.0, says what is left of them.
    uv_buf_t& left = request.bufs[request.write_index];
    writing_->copy = std::make_unique_for_overwrite<std::byte[]>(left.len);
    std::memcpy(writing_->copy.get(), left.base, left.len);
    left.base = reinterpret_cast<char*>(writing_->copy.get());
    writing_->operation = nullptr;
    writing_.release();  // on_written frees it
    operation.result = Failure::cancelled();
    owe(operation);
}

// Both.

Start UvConnection::shutdown_write(UvShutdownOperation& operation) noexcept {
    assert(shutdown_ == nullptr && "two shutdowns at a time");
    int status = -lost_;
    if (status == 0 && !shutting_down_) {
        status = uv_shutdown(&shutdown_request_, stream(), on_shut_down);
        shutting_down_ = status == 0;
    }
    if (status == 0 && !shut_down_) {
        shutdown_ = &operation;
        return Start::pending;
    }
    operation.result = status == 0 ? Result<>() : uv_failure(status);
    return end(operation);
}

void UvConnection::on_shut_down(uv_shutdown_t* request, int status) noexcept {
    UvConnection& connection = connection_of(request->handle);
    connection.shut_down_ = status == 0;
    UvShutdownOperation* operation = std::exchange(connection.shutdown_, nullptr);
    if (operation == nullptr) return;  // cancelled
    operation->result = status == 0 ? Result<>() : uv_failure(status);
    connection.loop().complete(*operation);
}

void UvConnection::cancel(UvShutdownOperation& operation) noexcept {
    if (shutdown_ != &operation) return;
    shutdown_ = nullptr;
    operation.result = Failure::cancelled();
    owe(operation);
}

Start UvConnection::end(Operation& operation) noexcept {
    if (loop().may_complete_now()) return Start::done;
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
    UvLoop& loop = connection->loop();
    if (UvReadOperation* read = std::exchange(connection->read_, nullptr)) {
        read->result = Failure::cancelled();
        loop.complete(*read);
    }
    connection->settle_for_good();
    if (connection->owner != nullptr) connection->owner->connection_.release();
    UvCloseOperation* closing = connection->closing_;
    connection.reset();
    if (closing == nullptr) return;
    closing->result = {};
    loop.complete(*closing);
}

}  // namespace loopbench
