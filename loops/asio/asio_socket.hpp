#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <cstddef>
#include <memory>
#include <span>

#include "loops/asio/asio_handler.hpp"
#include "loops/asio/asio_types.hpp"
#include "loops/endpoint.hpp"
#include "loops/fd.hpp"

namespace loopbench {

class AsioLoop;

/// Asio's socket and its operations in flight: at most one that reads, or waits to, and one that
/// connects or waits to write. The block outlasts its owner until the last of them has come back.
///
/// It must not be closed before: the io_uring backend of Asio 1.26 gives what it keeps of a closed
/// socket to the next one while the kernel still has operations that refer to it.
class AsioSocket {
  public:
    /// Whom completions are told to; it may let go of the socket in each of them.
    class Owner {
      public:
        /// Bytes, 0 at end of file, or a negative errno.
        virtual void received(std::ptrdiff_t result) noexcept = 0;
        virtual void readable() noexcept = 0;
        virtual void writable() noexcept = 0;
        /// 0 or an errno.
        virtual void connected(int error) noexcept = 0;
        /// After `close`: everything is back and the descriptor closed. The block is gone after
        /// this; the owner has to release it.
        virtual void closed() noexcept = 0;

      protected:
        ~Owner() = default;
    };

    struct LetGo {
        void operator()(AsioSocket* socket) const noexcept { socket->let_go(); }
    };
    /// Owns a socket for its owner; letting go of it ends the connection at once.
    using Pointer = std::unique_ptr<AsioSocket, LetGo>;

    static Pointer make(AsioLoop& loop, Owner& owner);
    AsioSocket(AsioLoop& loop, Owner& owner);

    /// A socket without a connection, for `connect`; gives 0 or an errno.
    int open(int family) noexcept;
    /// Takes over a descriptor that listens, or one that is connected; gives 0 or an errno.
    int adopt_listening(Fd descriptor) noexcept;
    int adopt_connected(Fd descriptor) noexcept;
    int descriptor() noexcept { return socket_.native_handle(); }

    void connect(const Endpoint& endpoint);
    void cancel_connect() noexcept;

    /// Memory to receive into, of the size that the loop's options say: from its first use on.
    std::span<std::byte> buffer();

    bool receiving() const noexcept { return reading_; }
    void receive(std::span<std::byte> buffer);
    void cancel_receive() noexcept;

    /// Both go along with a wait that is under way.
    void wait_readable();
    void wait_writable();

    /// Ends what is in flight and closes the descriptor, then tells `closed`, maybe at once.
    void close() noexcept;

  private:
    /// What the largest operation of either backend takes: a connect through io_uring.
    static constexpr std::size_t operation_size = 384;

    void let_go() noexcept;
    void start_closing() noexcept;
    void returned() noexcept;

    void on_received(const boost::system::error_code& error, std::size_t bytes) noexcept;
    void on_readable(const boost::system::error_code& error) noexcept;
    void on_writable(const boost::system::error_code& error) noexcept;
    void on_connected(const boost::system::error_code& error) noexcept;

    template <auto function>
    auto read_handler() noexcept {
        return AsioCancellableHandler<function, AsioSocket, operation_size>(*this, read_memory_,
                                                                            read_signal_);
    }
    template <auto function>
    auto write_handler() noexcept {
        return AsioCancellableHandler<function, AsioSocket, operation_size>(*this, write_memory_,
                                                                            write_signal_);
    }

    AsioLoop& loop_;
    Owner* owner_;  // null once it has let go
    AsioNativeSocket socket_;
    std::unique_ptr<std::byte[]> buffer_;
    boost::asio::cancellation_signal read_signal_;
    boost::asio::cancellation_signal write_signal_;
    unsigned holds_ = 0;  // operations in flight, and handlers that run
    bool reading_ = false;
    bool writing_ = false;  // or connecting
    bool closing_ = false;
    AsioHandlerMemory<operation_size> read_memory_;
    AsioHandlerMemory<operation_size> write_memory_;
};

}  // namespace loopbench
