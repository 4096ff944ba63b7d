#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "loops/endpoint.hpp"
#include "loops/protocol.hpp"
#include "loops/uv/uv_operations.hpp"
#include "loops/uv/uv_owed.hpp"

namespace loopbench {

class UvLoop;
class UvStream;

/// What a stream has while it is connected or connecting: libuv's handle and the state that its
/// callbacks need, in one heap block, which lives until libuv has closed the handle and so may
/// outlast the stream. `UvStream` is the face of it.
class UvConnection : public UvOwed {
  public:
    struct LetGo {
        void operator()(UvConnection* connection) const noexcept { connection->let_go(); }
    };
    /// Owns a connection for its stream; letting go of it closes the descriptor at once.
    using Pointer = std::unique_ptr<UvConnection, LetGo>;

    /// A handle of the family's kind without a socket, for `uv_accept`.
    static Pointer make_unconnected(UvLoop& loop, int family);
    /// Begins to connect; null when it failed at once, with the reason in the operation's result.
    static Pointer make_connecting(UvLoop& loop, UvConnectOperation& operation,
                                   const Endpoint& endpoint, const SocketOptions& options);

    explicit UvConnection(UvLoop& loop) noexcept : UvOwed(loop, deliver) {}

    /// Applies the options to the socket; gives 0 or a negative code of libuv's.
    int apply_options(const SocketOptions& options) noexcept;

    void start_reading(Protocol& protocol) noexcept;
    void stop_reading() noexcept;
    void write(std::span<const std::byte> bytes);
    std::size_t queued_bytes() const noexcept;

    Start read_some(UvReadOperation& operation, std::span<std::byte> buffer) noexcept;
    Start write_all(UvWriteOperation& operation, std::span<const std::byte> bytes);
    Start shutdown_write(UvShutdownOperation& operation) noexcept;
    void cancel(UvReadOperation& operation) noexcept;
    /// What is not yet sent goes out from a copy: libuv cannot give up a write.
    void cancel(UvWriteOperation& operation) noexcept;
    void cancel(UvShutdownOperation& operation) noexcept;
    /// Ends the attempt to connect, which libuv can only do by closing the handle.
    void cancel_connect() noexcept;

    void close(UvCloseOperation& operation) noexcept;

    uv_stream_t* stream() noexcept { return &handle_.stream; }

    UvStream* owner = nullptr;  ///< null once the stream has let go
    bool connected = false;     ///< and `close` not called

  private:
    enum class Reading : std::uint8_t { stopped, push, pull };

    /// A `write_all` that waits: libuv's request, which outlasts the operation when that is
    /// cancelled. Kept for the next one.
    struct Writing {
        uv_write_t request;  // data points to the connection
        UvWriteOperation* operation = nullptr;
        std::size_t size = 0;
        std::unique_ptr<std::byte[]> copy;  // of what was left when it was cancelled
    };

    void let_go() noexcept;
    void start_closing() noexcept;
    int connect_unix(UvConnectOperation& operation, const Endpoint& endpoint,
                     const SocketOptions& options) noexcept;
    Start write_rest(UvWriteOperation& operation, std::size_t size,
                     std::span<const std::byte> rest);
    Start end(Operation& operation) noexcept;
    void queue(std::span<const std::byte> bytes);
    void lose(int status) noexcept;
    void tell_protocol() noexcept;

    static void on_connected(uv_connect_t* request, int status) noexcept;
    static void lend_buffer(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer) noexcept;
    static void on_data(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
    static void pass_buffer(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer) noexcept;
    static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
    static void on_chunk_written(uv_write_t* request, int status) noexcept;
    static void on_written(uv_write_t* request, int status) noexcept;
    static void on_shut_down(uv_shutdown_t* request, int status) noexcept;
    static void on_closed(uv_handle_t* handle) noexcept;
    static void deliver(Operation& operation) noexcept;

    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle_;  // data points here

    Protocol* protocol_ = nullptr;     // kept while reading is stopped: it still hears of writing
    UvReadOperation* read_ = nullptr;  // in flight, like the next three
    UvShutdownOperation* shutdown_ = nullptr;
    UvCloseOperation* closing_ = nullptr;
    std::unique_ptr<Writing> writing_;  // null after the cancel of one that libuv still has
    uv_shutdown_t shutdown_request_;
    std::uint64_t last_read_turn_ = 0;
    int lost_ = 0;  // the errno with which the connection broke
    Reading reading_ = Reading::stopped;
    bool lost_told_ = false;
    bool end_told_ = false;       // eof_received was called
    bool end_of_file_ = false;    // read_some gives 0 from now on
    bool paused_ = false;         // pause_writing was called last
    bool shutting_down_ = false;  // libuv has been asked to
    bool shut_down_ = false;      // and has done so
};

}  // namespace loopbench
