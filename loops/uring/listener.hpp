#pragma once

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "loops/accept_side.hpp"
#include "loops/uring/stream.hpp"
#include "loops/uring/uring_loop.hpp"

namespace loopbench {

/// A listening socket of the io_uring loop: see LoopListener in the contract.
///
/// One multishot request accepts while the owner does. A connection that it brings when the owner
/// has just stopped is kept for the next accept, and the request is taken back.
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
        forget_accepted();
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
    void await_connection() noexcept { socket_->accept_many(); }
    void await_nobody() noexcept { socket_->cancel_receive(); }

    int take_connection() noexcept {
        if (next_ < accepted_.size()) return accepted_[next_++].release();
        forget_accepted();
        errno = std::exchange(error_, EAGAIN);
        return -1;
    }
    void forget_accepted() noexcept {
        accepted_.clear();
        next_ = 0;
    }

    void accepted(int result) noexcept override {
        if (result >= 0) {
            accepted_.emplace_back(result);
        } else if (result != -ECANCELED) {
            error_ = -result;
        }
        somebody_is_there();
    }
    void polled(int) noexcept override {}
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
    std::vector<Fd> accepted_;  // of which those from `next_` on wait for their owner
    std::size_t next_ = 0;
    int error_ = EAGAIN;  // why there is none
};

}  // namespace loopbench
