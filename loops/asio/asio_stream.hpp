#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "loops/asio/asio_operations.hpp"
#include "loops/asio/asio_socket.hpp"
#include "loops/contract.hpp"
#include "loops/send_side.hpp"

namespace loopbench {

class AsioLoop;

/// A connection of the Asio loop: see LoopStream in the contract.
///
/// Push reads by `async_read_some` into a buffer of its own, as Asio's examples do: a buffer cannot
/// be lent to many operations that are in flight at once. What arrives after `stop_reading` stays
/// there and is handed out first to whoever reads next. Pull reads into the caller's buffer.
class AsioStream final : private Operation,
                         private AsioSocket::Owner,
                         public SendSide<AsioStream, AsioWriteOperation, AsioShutdownOperation> {
    using Sending = SendSide<AsioStream, AsioWriteOperation, AsioShutdownOperation>;
    friend Sending;

  public:
    explicit AsioStream(AsioLoop& loop) noexcept : Operation(&catch_up), loop_(loop) {}
    ~AsioStream();

    AsioLoop& loop() const noexcept { return loop_; }
    bool open() const noexcept {
        return socket_ != nullptr && connect_ == nullptr && close_ == nullptr;
    }

    Start connect(AsioConnectOperation& operation, const Endpoint& endpoint,
                  const SocketOptions& options);
    /// Takes over a connected socket; gives 0 or an errno. For listeners.
    int adopt(Fd descriptor);

    void start_reading(Protocol& protocol);
    /// The protocol still hears of writing: it may have stopped reading because of a pause.
    void stop_reading() noexcept { pushing_ = false; }
    Start read_some(AsioReadOperation& operation, std::span<std::byte> buffer);
    void close(AsioCloseOperation& operation) noexcept;

    using Sending::cancel;
    void cancel(AsioReadOperation& operation) noexcept;
    void cancel(AsioConnectOperation& operation) noexcept {
        if (connect_ == &operation) socket_->cancel_connect();
    }

  private:
    static void catch_up(Operation& operation) noexcept;
    void post_again() noexcept;
    int descriptor() noexcept { return socket_->descriptor(); }
    void watch_writable(bool on) {
        if (on) socket_->wait_writable();  // reports once: nothing to take back
    }

    void received(std::ptrdiff_t result) noexcept override;
    void readable() noexcept override {}
    void writable() noexcept override { send_waiting(); }
    void connected(int error) noexcept override;
    void closed() noexcept override;

    bool at_hand() const noexcept { return !kept_.empty() || end_of_file_; }
    void begin_connection() noexcept;
    void receive_for_push();
    void receive_for_pull();
    void finish_read(std::ptrdiff_t result) noexcept;
    void serve_reader() noexcept;
    void push_what_is_at_hand() noexcept;
    void take_at_hand(AsioReadOperation& operation) noexcept;
    void tell_lost() noexcept;
    template <class AnyOperation>
    void complete(AnyOperation*& waiting) noexcept;

    AsioLoop& loop_;
    AsioSocket::Pointer socket_;
    Protocol* protocol_ = nullptr;
    AsioReadOperation* read_ = nullptr;
    AsioConnectOperation* connect_ = nullptr;
    AsioCloseOperation* close_ = nullptr;
    std::span<const std::byte> kept_;  // of the buffer: what nobody has read yet
    bool pushing_ = false;
    bool delivering_ = false;             // the buffer is lent to the protocol
    bool receiving_into_caller_ = false;  // and not into the buffer
    bool end_of_file_ = false;
    bool end_told_ = false;  // eof_received was called
};

}  // namespace loopbench
