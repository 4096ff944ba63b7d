#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "loops/fd.hpp"
#include "loops/frame_pool.hpp"
#include "loops/uring/buffer_ring.hpp"
#include "loops/uring/ring.hpp"
#include "loops/write_queue.hpp"

namespace loopbench {

/// A descriptor with its requests in the kernel: at most one poll, one receive (or, of a listening
/// socket, accept), one send and one watch for the peer's end at a time.
/// Requests refer to this block and not to the stream that uses it, so that the stream may go while
/// the kernel still has them: the block goes when the last of them has come back.
class RingSocket {
  public:
    /// Whom completions are told to.
    class Owner {
      public:
        /// `events` is poll(2)'s mask, or a negative errno.
        virtual void polled(int events) noexcept = 0;
        /// As the completion says: bytes, 0 at end of file, or a negative errno; `last` when the
        /// request has ended.
        virtual void received(int result, unsigned flags, bool last) noexcept = 0;
        /// The owner's descriptor of a connection, or a negative errno; `receiving` tells whether
        /// more will come.
        virtual void accepted(int result) noexcept = 0;
        /// Bytes sent, or a negative errno.
        virtual void sent(int result) noexcept = 0;
        /// The peer has ended its side, or the connection.
        virtual void hung_up() noexcept = 0;
        /// Everything is back and the descriptor is closed; the block is gone after this.
        virtual void closed() noexcept = 0;

      protected:
        ~Owner() = default;
    };

    /// Counts the blocks that are alive, for the loop's destructor.
    RingSocket(Ring& ring, BufferRing& buffers, std::size_t& alive, Fd descriptor,
               Owner& owner) noexcept
        : ring_(ring),
          buffers_(buffers),
          alive_(alive),
          descriptor_(std::move(descriptor)),
          owner_(&owner) {
        ++alive_;
    }
    ~RingSocket() { --alive_; }

    static void* operator new(std::size_t size) { return FramePool::allocate(size); }
    static void operator delete(void* memory, std::size_t size) noexcept {
        FramePool::release(memory, size);
    }

    int descriptor() const noexcept { return descriptor_.get(); }
    bool polling() const noexcept { return polling_; }
    bool receiving() const noexcept { return receiving_; }
    bool sending() const noexcept { return sending_; }

    /// Asks to be told once when `events` of poll(2) hold; goes along with what is asked already.
    void poll(unsigned events) noexcept {
        if (polling_) return;
        polling_ = true;
        ::io_uring_prep_poll_add(ring_.prepare(&poll_request_), descriptor_.get(), events);
    }

    /// Receives into provided buffers, again and again.
    void receive_many() noexcept {
        if (receiving_) return;
        receiving_ = true;
        io_uring_sqe* entry = receive_request_.prepare(ring_);
        ::io_uring_prep_recv_multishot(entry, descriptor_.get(), nullptr, 0, 0);
        entry->flags |= IOSQE_BUFFER_SELECT;
        entry->buf_group = BufferRing::group;
    }

    /// Receives once into the caller's buffer, which the kernel has until `received`.
    void receive_into(std::span<std::byte> buffer) noexcept {
        receiving_ = true;
        io_uring_sqe* entry = receive_request_.prepare(ring_);
        ::io_uring_prep_recv(entry, descriptor_.get(), buffer.data(), buffer.size(), 0);
        // Nothing is there yet, as far as we know: the kernel need not try before it waits.
        entry->ioprio = IORING_RECVSEND_POLL_FIRST;
    }

    /// Accepts, again and again; counts as receiving.
    void accept_many() noexcept {
        if (receiving_) return;
        receiving_ = accepting_ = true;
        ::io_uring_prep_multishot_accept(receive_request_.prepare(ring_), descriptor_.get(),
                                         nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }

    /// Asks for the end of the receive; its last completion says what came of it.
    void cancel_receive() noexcept {
        if (!receiving_ || cancelling_) return;
        cancelling_ = true;
        receive_request_.cancel(ring_);
    }

    /// Asks to be told once when the peer has ended its side. A multishot receive alone may miss
    /// it: the kernel does not look for the end of the file behind bytes that it has received in a
    /// row, when these were the last (axboe/liburing issue 1549; here still in Linux 6.18 after 33
    /// buffers).
    void watch_hang_up() noexcept {
        watching_ = true;
        ::io_uring_prep_poll_add(ring_.prepare(&hang_up_request_), descriptor_.get(), POLLRDHUP);
    }

    /// Sends all of `bytes`, which the kernel has until `sent`: it sends on by itself when it could
    /// take only some.
    void send(std::span<const std::byte> bytes) noexcept {
        sending_ = true;
        ::io_uring_prep_send(send_request_.prepare(ring_), descriptor_.get(), bytes.data(),
                             bytes.size(), MSG_NOSIGNAL | MSG_WAITALL);
    }

    /// Asks for the end of the send; its completion says how far it came.
    void cancel_send() noexcept {
        if (sending_) send_request_.cancel(ring_);
    }

    /// Bytes of the send under way, whose owner may go before it is done.
    void keep_until_sent(WriteQueue bytes) noexcept { kept_ = std::move(bytes); }

    /// Asks for the end of everything; `Owner::closed` tells when, from a later completion, unless
    /// nothing is in the kernel: then at once, and the result is true.
    bool close() noexcept {
        closing_ = true;
        if (idle()) {
            finish();
            return true;
        }
        // Closing a descriptor does not end its requests: they are cancelled first.
        io_uring_sqe* entry = ring_.prepare(nullptr);
        ::io_uring_prep_cancel_fd(entry, descriptor_.get(), IORING_ASYNC_CANCEL_ALL);
        return false;
    }

    /// The owner goes; nobody is told any more. The peer sees the end now: a request in the kernel
    /// keeps the socket open beyond close(2), until the loop's next turn has fetched it back.
    void abandon() noexcept {
        owner_ = nullptr;
        if (!idle()) ::shutdown(descriptor_.get(), SHUT_RDWR);
        close();
    }

  private:
    /// A request of this socket, whose completions `told` hears of.
    template <void (RingSocket::*told)(int, unsigned) noexcept>
    struct Request final : RingRequest {
        explicit Request(RingSocket& its_socket) noexcept
            : RingRequest(&completed), socket(its_socket) {}
        static void completed(RingRequest& request, int result, unsigned flags) noexcept {
            auto& self = static_cast<Request&>(request);
            if (std::exchange(self.withdrawn, false)) result = -ECANCELED;
            (self.socket.*told)(result, flags);
        }

        /// An entry that can be cancelled.
        io_uring_sqe* prepare(Ring& ring) noexcept {
            entry = ring.prepare(this);
            prepared_at = ring.submissions();
            return entry;
        }
        /// Asks for its end. What has not left yet does not leave: had it to be cancelled in the
        /// kernel, it would first find what came after the cancel.
        void cancel(Ring& ring) noexcept {
            if (prepared_at == ring.submissions()) {
                withdrawn = true;
                ::io_uring_prep_nop(entry);
            } else {
                ::io_uring_prep_cancel(ring.prepare(nullptr), this, 0);
            }
        }

        RingSocket& socket;
        io_uring_sqe* entry = nullptr;
        std::uint64_t prepared_at = 0;
        bool withdrawn = false;
    };

    bool idle() const noexcept { return !polling_ && !receiving_ && !sending_ && !watching_; }

    void on_hang_up(int, unsigned) noexcept {
        watching_ = false;
        if (closing_) {
            finish_if_idle();
        } else {
            owner_->hung_up();
        }
    }

    void on_sent(int result, unsigned) noexcept {
        sending_ = false;
        const bool closing = closing_;  // this block may be gone after the owner was told
        if (owner_ != nullptr) owner_->sent(result);
        if (closing) finish_if_idle();
    }

    void on_polled(int result, unsigned) noexcept {
        polling_ = false;
        if (closing_) {
            finish_if_idle();
        } else {
            owner_->polled(result);
        }
    }

    void on_received(int result, unsigned flags) noexcept {
        const bool last = (flags & IORING_CQE_F_MORE) == 0;
        if (last) receiving_ = cancelling_ = false;
        if (accepting_) {
            on_accepted(result, last);
            return;
        }
        if (result == -ENOBUFS) buffers_.provide_more();
        BufferRing& buffers = buffers_;  // this block may be gone after the owner was told
        if (!closing_) {
            owner_->received(result, flags, last);
        } else if (last) {
            // An owner that closes only waits to get its own buffer back.
            const bool provided = (flags & IORING_CQE_F_BUFFER) != 0;
            if (owner_ != nullptr) owner_->received(provided ? -ECANCELED : result, 0, true);
            finish_if_idle();
        }
        if ((flags & IORING_CQE_F_BUFFER) != 0) buffers.give_back(flags);
    }

    void on_accepted(int result, bool last) noexcept {
        if (!closing_) {
            owner_->accepted(result);
        } else {
            if (result >= 0) ::close(result);
            if (last) finish_if_idle();
        }
    }

    void finish_if_idle() noexcept {
        if (idle()) finish();
    }

    void finish() noexcept {
        descriptor_.reset();
        Owner* owner = owner_;
        delete this;
        if (owner != nullptr) owner->closed();
    }

    Ring& ring_;
    BufferRing& buffers_;
    std::size_t& alive_;
    Fd descriptor_;
    Owner* owner_;
    Request<&RingSocket::on_polled> poll_request_{*this};
    Request<&RingSocket::on_received> receive_request_{*this};
    Request<&RingSocket::on_sent> send_request_{*this};
    Request<&RingSocket::on_hang_up> hang_up_request_{*this};
    WriteQueue kept_;
    bool polling_ = false;
    bool receiving_ = false;
    bool sending_ = false;
    bool watching_ = false;
    bool cancelling_ = false;
    bool accepting_ = false;  // it is a listening socket
    bool closing_ = false;
};

}  // namespace loopbench
