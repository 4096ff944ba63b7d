#pragma once

#include <uv.h>

#include <memory>

#include "loops/contract.hpp"
#include "loops/uv/uv_operations.hpp"
#include "loops/uv/uv_owed.hpp"

namespace loopbench {

class UvLoop;
class UvStream;
class UvListener;

/// What a listener has while it listens: libuv's handle, which may outlast the listener, and the
/// state that its callbacks need. `UvListener` is the face of it.
class UvListening : public UvOwed {
  public:
    struct LetGo {
        void operator()(UvListening* listening) const noexcept { listening->let_go(); }
    };
    using Pointer = std::unique_ptr<UvListening, LetGo>;

    UvListening(UvLoop& loop, int family, const SocketOptions& options) noexcept;

    /// Binds and listens; a negative code of libuv's when the system refuses.
    int listen(const Endpoint& endpoint, int backlog) noexcept;
    Endpoint local_endpoint() const noexcept;
    Start accept(UvAcceptOperation& operation, UvStream& stream);
    void cancel(UvAcceptOperation& operation) noexcept;
    void close(UvCloseOperation& operation) noexcept;

    UvListener* owner = nullptr;  ///< null once the listener has let go

  private:
    int descriptor() const noexcept;
    int bind_unix(const Endpoint& endpoint) noexcept;
    bool take(UvAcceptOperation& operation);
    void let_go() noexcept;
    void start_closing() noexcept;

    static void on_connection(uv_stream_t* stream, int status) noexcept;
    static void on_closed(uv_handle_t* handle) noexcept;
    static void deliver(Operation& operation) noexcept;

    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle_;  // data points here

    const int family_;
    const SocketOptions options_;
    UvAcceptOperation* accept_ = nullptr;  // in flight
    UvCloseOperation* closing_ = nullptr;  // likewise
    bool waiting_ = false;                 // libuv holds a connection that nobody asked for
};

/// `uv_listen` and `uv_accept`. Out of descriptors, libuv gives up a spare one to accept what
/// waits and drop it.
class UvListener {
  public:
    explicit UvListener(UvLoop& loop) noexcept : loop_(loop) {}
    UvListener(const UvListener&) = delete;
    UvListener& operator=(const UvListener&) = delete;

    UvLoop& loop() const noexcept { return loop_; }

    Result<> listen(const Endpoint& endpoint, const ListenOptions& options);
    Endpoint local_endpoint() const noexcept { return listening_->local_endpoint(); }
    Start accept(UvAcceptOperation& operation, UvStream& stream) {
        return listening_->accept(operation, stream);
    }
    void cancel(UvAcceptOperation& operation) noexcept {
        if (listening_ != nullptr) listening_->cancel(operation);
    }
    void close(UvCloseOperation& operation) noexcept;

  private:
    friend class UvListening;

    UvLoop& loop_;
    UvListening::Pointer listening_;
};

}  // namespace loopbench
