#pragma once

#include <poll.h>

#include "loops/accept_side.hpp"
#include "loops/uring/stream.hpp"
#include "loops/uring/uring_loop.hpp"

namespace loopbench {

/// A listening socket of the io_uring loop: see LoopListener in the contract.
class UringLoop::Listener final
    : private RingSocket::Owner,
      public AcceptSide<UringLoop::Listener, UringLoop, UringLoop::Stream, AcceptOperation> {
    using Accepting = AcceptSide<Listener, UringLoop, Stream, AcceptOperation>;
    friend Accepting;

  public:
    explicit Listener(UringLoop& loop) noexcept : Accepting(loop), loop_(loop) {}
    ~Listener() {
        stop_accepting();
        if (socket_ != nullptr) socket_->abandon();
    }

    UringLoop& loop() const noexcept { return loop_; }

    void close(CloseOperation& operation) noexcept {
        stop_accepting();
        operation.result = {};
        if (socket_ == nullptr) {
            loop_.post(operation);
        } else {
            close_ = &operation;
            socket_->close();
        }
    }

  private:
    int descriptor() const noexcept { return socket_ != nullptr ? socket_->descriptor() : -1; }
    int begin_watching(Fd socket) noexcept {
        socket_ = loop_.open_socket_block(std::move(socket), *this);
        return 0;
    }
    void await_connection() noexcept { socket_->poll(POLLIN); }
    void await_nobody() noexcept {}

    void polled(int) noexcept override { somebody_is_there(); }
    void received(int, unsigned, bool) noexcept override {}
    void sent(int) noexcept override {}
    void hung_up() noexcept override {}
    void closed() noexcept override {
        socket_ = nullptr;
        if (close_ != nullptr) loop_.post(*std::exchange(close_, nullptr));
    }

    UringLoop& loop_;
    RingSocket* socket_ = nullptr;
    CloseOperation* close_ = nullptr;
};

}  // namespace loopbench
