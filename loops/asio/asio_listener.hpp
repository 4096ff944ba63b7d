#pragma once

#include <cstddef>
#include <utility>

#include "loops/accept_side.hpp"
#include "loops/asio/asio_operations.hpp"
#include "loops/asio/asio_socket.hpp"
#include "loops/asio/asio_stream.hpp"
#include "loops/asio/asio_timer.hpp"

namespace loopbench {

class AsioLoop;

/// A listening socket of the Asio loop: see LoopListener in the contract. Asio says when somebody
/// is there. Not by `async_accept`: through io_uring that goes by the limit of descriptors as it
/// was when the operation was started, and a burst costs it a way through the loop each.
class AsioListener final
    : private AsioSocket::Owner,
      public AcceptSide<AsioListener, AsioLoop, AsioStream, AsioAcceptOperation, AsioTimer> {
    using Accepting =
        AcceptSide<AsioListener, AsioLoop, AsioStream, AsioAcceptOperation, AsioTimer>;
    friend Accepting;

  public:
    explicit AsioListener(AsioLoop& loop) noexcept : Accepting(loop), loop_(loop) {}
    ~AsioListener() { stop_accepting(); }

    AsioLoop& loop() const noexcept { return loop_; }

    void close(AsioCloseOperation& operation) noexcept;

  private:
    int descriptor() const noexcept { return socket_ != nullptr ? socket_->descriptor() : -1; }
    int begin_watching(Fd descriptor);
    void await_connection() { socket_->wait_readable(); }
    void await_nobody() noexcept {}  // waits report once: nothing to take back

    void received(std::ptrdiff_t) noexcept override {}
    void readable() noexcept override { somebody_is_there(); }
    void writable() noexcept override {}
    void connected(int) noexcept override {}
    void closed() noexcept override;

    AsioLoop& loop_;
    AsioSocket::Pointer socket_;
    AsioCloseOperation* close_ = nullptr;
};

}  // namespace loopbench
