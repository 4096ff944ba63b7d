#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "loops/send_side.hpp"
#include "loops/socket.hpp"
#include "loops/uring/uring_loop.hpp"

namespace loopbench {

/// A connection of the io_uring loop: see LoopStream in the contract.
///
/// Push reads by one multishot request into provided buffers, which sees the empty socket by itself
/// and costs no system call of its own. What still arrives after `stop_reading`, until the kernel
/// has taken the request back, is kept and handed out first to whoever reads next. Pull receives
/// into the caller's buffer.
class UringLoop::Stream final
    : private Operation,
      private RingSocket::Owner,
      public SendSide<UringLoop::Stream, WriteOperation, ShutdownOperation> {
    using Sending = SendSide<Stream, WriteOperation, ShutdownOperation>;
    friend Sending;

  public:
    explicit Stream(UringLoop& loop) noexcept : Operation(&catch_up), loop_(loop) {}
    ~Stream() {
        assert(read_ == nullptr && connect_ == nullptr && close_ == nullptr &&
               "a stream was destroyed with an operation in flight");
        if (socket_ != nullptr) give_up();
    }

    UringLoop& loop() const noexcept { return loop_; }
    bool open() const noexcept {
        return socket_ != nullptr && connect_ == nullptr && close_ == nullptr;
    }

    Start connect(ConnectOperation& operation, const Endpoint& endpoint,
                  const SocketOptions& options) noexcept {
        assert(socket_ == nullptr && "connecting a stream that is open");
        Fd socket = open_socket(endpoint.family());
        int error = socket ? apply(options, socket.get(), endpoint.family()) : errno;
        if (error == 0 && ::connect(socket.get(), endpoint.address(), endpoint.length) != 0) {
            error = errno;
        }
        if (error == 0 || error == EINPROGRESS) adopt(std::move(socket));
        if (error == EINPROGRESS) {
            connect_ = &operation;
            socket_->poll(POLLOUT);
            return Start::pending;
        }
        operation.result = error == 0 ? Result<>() : Failure::from_errno(error);
        return Start::done;
    }

    /// Takes over a connected socket; gives 0. For listeners.
    int adopt(Fd socket) noexcept {
        socket_ = loop_.open_socket_block(std::move(socket), *this);
        readable_ = end_of_file_ = end_told_ = hung_up_ = false;
        kept_.clear();
        Sending::reset_sending();
        socket_->watch_hang_up();
        return 0;
    }

    void start_reading(Protocol& protocol) noexcept {
        assert(read_ == nullptr && "start_reading during a read_some");
        protocol_ = &protocol;
        pushing_ = true;
        if (!open()) return;
        if (lost() != 0 || !kept_.empty() || end_of_file_) {
            post_again();  // found out while nobody listened
        } else {
            socket_->receive_many();
        }
    }

    /// The protocol still hears of writing: it may have stopped reading because of a pause.
    void stop_reading() noexcept {
        pushing_ = false;
        if (open()) socket_->cancel_receive();
    }

    Start read_some(ReadOperation& operation, std::span<std::byte> buffer) noexcept {
        assert(read_ == nullptr && !pushing_ && "two readers on one stream");
        assert(!buffer.empty());
        protocol_ = nullptr;  // the other face takes over
        operation.buffer = buffer;
        if (!open() || lost() != 0) {
            operation.result = Failure::from_errno(open() ? lost() : ENOTCONN);
            return Start::done;
        }
        const bool at_hand = !kept_.empty() || end_of_file_ || readable_;
        if (at_hand && !socket_->receiving()) {
            if (!loop_.may_complete_now()) {
                read_ = &operation;
                post_again();
                return Start::pending;
            }
            if (take_at_hand(operation)) return Start::done;
        }
        read_ = &operation;
        receive_for_read();
        return Start::pending;
    }

    void close(CloseOperation& operation) noexcept {
        protocol_ = nullptr;
        pushing_ = false;
        operation.result = {};
        loop_.withdraw(*this);
        complete_later(connect_, Failure::cancelled());
        end_sending(Failure::cancelled());
        if (!receiving_into_caller_) complete_later(read_, Failure::cancelled());
        close_ = &operation;
        if (socket_ == nullptr) {
            closed();
        } else {
            socket_->close();
        }
    }

    using Sending::cancel;
    void cancel(ReadOperation& operation) noexcept {
        if (read_ != &operation) return;
        if (receiving_into_caller_) {
            socket_->cancel_receive();  // it completes when the kernel has given the buffer back
        } else {
            complete_later(read_, Failure::cancelled());
        }
    }
    void cancel(ConnectOperation& operation) noexcept {
        if (connect_ != &operation) return;
        complete_later(connect_, Failure::cancelled());
        give_up();
    }

  private:
    /// The long way, from the ready queue: what could not be done inside the owner's call.
    static void catch_up(Operation& operation) noexcept {
        auto& stream = static_cast<Stream&>(operation);
        stream.send_waiting();
        stream.tell_about_pause(stream.protocol_);
        if (stream.open()) stream.read_waiting();
    }

    void post_again() noexcept {
        if (Operation::next == nullptr) loop_.post(*this);
    }

    int descriptor() const noexcept { return socket_->descriptor(); }
    bool sends_by_request() const noexcept { return loop_.sends_by_request_; }
    void request_send(std::span<const std::byte> bytes) noexcept { socket_->send(bytes); }
    void cancel_send() noexcept { socket_->cancel_send(); }
    void keep_until_sent(WriteQueue bytes) noexcept { socket_->keep_until_sent(std::move(bytes)); }
    void watch_writable(bool on) noexcept {
        if (on) socket_->poll(POLLOUT);  // reports once: nothing to take back
    }

    /// Lets the descriptor go without waiting for the kernel, which may still read from the queue.
    void give_up() noexcept {
        end_sending(Failure::cancelled());
        loop_.withdraw(*this);
        std::exchange(socket_, nullptr)->abandon();
    }

    // ---- what the kernel tells ----

    void polled(int events) noexcept override {
        if (connect_ == nullptr) {
            send_waiting();
            return;
        }
        int error = events < 0 ? -events : 0;
        socklen_t size = sizeof error;
        if (error == 0 && ::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
            error = errno;
        }
        if (error != 0) give_up();
        connect_->result = error == 0 ? Result<>() : Failure::from_errno(error);
        complete(connect_);
    }

    void received(int result, unsigned flags, bool last) noexcept override {
        if (receiving_into_caller_) {
            receiving_into_caller_ = false;
            readable_ = (flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
            finish_read(result);
            return;
        }
        if (close_ != nullptr) return;
        if (result == 0 && broke_while_sending()) result = -ECONNRESET;
        if (result > 0) {
            deliver(loop_.buffers_.bytes(flags, result));
        } else if (result == 0 && lost() == 0) {
            end_of_file_ = true;
            if (!kept_.empty() || !pushing_) {
                post_again();
            } else {
                tell_end();
            }
            return;
        } else if (result != -ENOBUFS && result != -ECANCELED && result != -EINTR) {
            // Else a send has taken the error away; EPIPE says least of what happened.
            if (lost() == 0 || lost() == EPIPE) set_lost(result < 0 ? -result : ECONNRESET);
            tell_lost();
            return;
        }
        // The request has ended by itself or because buffers ran out, which by now are coming back.
        if (!open()) return;
        if (last) {
            go_on_reading();
        } else if (hung_up_ && (flags & IORING_CQE_F_SOCK_NONEMPTY) == 0) {
            look_for_end();
        }
    }

    void accepted(int) noexcept override {}
    void sent(int result) noexcept override { send_completed(result); }

    void hung_up() noexcept override {
        hung_up_ = true;
        look_for_end();
    }

    void closed() noexcept override {
        socket_ = nullptr;
        if (close_ != nullptr) loop_.post(*std::exchange(close_, nullptr));
    }

    // ---- reading ----

    /// A send request takes the error of a broken connection away, and hides it when it has sent
    /// some bytes before; then the receive sees an end of file. The kernel still tells them apart:
    /// only after half a close is there no hang-up.
    bool broke_while_sending() noexcept {
        if (!socket_->sending() && queued_bytes() == 0) return false;
        pollfd probe{descriptor(), 0, 0};
        return ::poll(&probe, 1, 0) == 1 && (probe.revents & (POLLERR | POLLHUP)) != 0;
    }

    /// The peer has ended its side. If the multishot request has not told by the end of the pass,
    /// another one finds the end of the file at once.
    void look_for_end() noexcept {
        if (pushing_) post_again();
    }

    void deliver(std::span<const std::byte> bytes) noexcept {
        if (pushing_ && kept_.empty()) {
            protocol_->data_received(bytes);
        } else {
            kept_.append(bytes);
            if (pushing_ || read_ != nullptr) post_again();
        }
    }

    void go_on_reading() noexcept {
        if (end_of_file_) {
            if (read_ != nullptr) post_again();
        } else if (pushing_) {
            socket_->receive_many();
        } else if (read_ != nullptr) {
            receive_for_read();
        }
    }

    void receive_for_read() noexcept {
        if (socket_->receiving()) return;  // until the multishot request is back
        if (!kept_.empty()) {
            post_again();
            return;
        }
        receiving_into_caller_ = true;
        socket_->receive_into(read_->buffer);
    }

    /// Serves whoever reads from what is at hand; the stream may be destroyed in it.
    void read_waiting() noexcept {
        if (lost() != 0) {
            tell_lost();
        } else if (pushing_) {
            push_kept();
        } else if (read_ != nullptr && !receiving_into_caller_) {
            if (take_at_hand(*read_)) {
                complete(read_);
            } else {
                receive_for_read();
            }
        }
    }

    void push_kept() noexcept {
        while (!kept_.empty() && pushing_) {
            // Handed out from the loop's buffer: the owner may stop, and more be kept, inside.
            const auto kept = kept_.front();
            const auto lent = loop_.lend(kept);
            kept_.consume(lent.size());
            protocol_->data_received(lent);
        }
        if (!pushing_) return;  // stopped or closed inside
        if (end_of_file_) {
            if (!end_told_) tell_end();
        } else if (hung_up_ && socket_->receiving()) {
            socket_->cancel_receive();  // and `go_on_reading`
        } else {
            socket_->receive_many();
        }
    }

    /// Once; the stream may be destroyed in it.
    void tell_end() noexcept {
        end_told_ = true;
        protocol_->eof_received();
    }

    /// Completes a read from what is kept, or by receiving once; false when there is nothing.
    bool take_at_hand(ReadOperation& operation) noexcept {
        if (!kept_.empty()) {
            const auto kept = kept_.front();
            const std::size_t size = std::min(kept.size(), operation.buffer.size());
            std::memcpy(operation.buffer.data(), kept.data(), size);
            kept_.consume(size);
            operation.result = size;
            return true;
        }
        if (end_of_file_) {
            operation.result = std::size_t{0};
            return true;
        }
        if (!readable_) return false;
        const ssize_t got =
            ::recv(descriptor(), operation.buffer.data(), operation.buffer.size(), MSG_DONTWAIT);
        readable_ = got > 0 && static_cast<std::size_t>(got) == operation.buffer.size();
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        set_read_result(operation, got < 0 ? -errno : static_cast<int>(got));
        return true;
    }

    void finish_read(int result) noexcept {
        set_read_result(*read_, result);
        complete(read_);
    }
    void set_read_result(ReadOperation& operation, int result) noexcept {
        if (result > 0 || (result == 0 && lost() == 0)) {
            end_of_file_ = result == 0;
            operation.result = static_cast<std::size_t>(result);
        } else if (result == -ECANCELED) {
            operation.result = Failure::cancelled();
        } else {
            if (lost() == 0) set_lost(-result);  // else a send has taken the error away
            operation.result = Failure::from_errno(lost());
        }
    }

    /// Tells whoever reads that the connection is lost; the stream may be destroyed in it.
    void tell_lost() noexcept {
        if (protocol_ != nullptr) {
            Protocol& protocol = *std::exchange(protocol_, nullptr);
            pushing_ = false;
            socket_->cancel_receive();
            protocol.connection_lost(std::error_code(lost(), std::system_category()));
        } else if (read_ != nullptr && !receiving_into_caller_) {
            read_->result = Failure::from_errno(lost());
            complete(read_);
        }
    }

    template <class AnyOperation>
    static void complete(AnyOperation*& waiting) noexcept {
        AnyOperation& operation = *std::exchange(waiting, nullptr);
        operation.function(operation);
    }

    UringLoop& loop_;
    RingSocket* socket_ = nullptr;
    Protocol* protocol_ = nullptr;  // kept while reading is stopped
    bool pushing_ = false;          // `protocol_` wants to be read for
    ReadOperation* read_ = nullptr;
    ConnectOperation* connect_ = nullptr;
    CloseOperation* close_ = nullptr;
    WriteQueue kept_;  // what arrived while nobody read
    bool receiving_into_caller_ = false;
    bool readable_ = false;
    bool end_of_file_ = false;
    bool end_told_ = false;
    bool hung_up_ = false;
};

}  // namespace loopbench
