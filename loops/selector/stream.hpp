#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "loops/selector/selector_loop.hpp"
#include "loops/send_side.hpp"
#include "loops/socket.hpp"

namespace loopbench {

/// A connection of a selector loop: see LoopStream in the contract.
///
/// `readable_` remembers that the kernel may have bytes for us: an event sets it, a short read or
/// EAGAIN clears it. So nothing is read before the first event (it would be a system call for
/// EAGAIN), and no second read is made to find out that the first one drained the socket.
template <class Selector>
class SelectorLoop<Selector>::Stream
    : private Descriptor,
      private Operation,
      public SendSide<typename SelectorLoop<Selector>::Stream, WriteOperation, ShutdownOperation> {
    using Sending =
        SendSide<typename SelectorLoop<Selector>::Stream, WriteOperation, ShutdownOperation>;
    friend Sending;

  public:
    explicit Stream(SelectorLoop& loop) noexcept
        : Descriptor(&on_ready_event), Operation(&catch_up), loop_(loop) {}
    ~Stream() {
        assert(read_ == nullptr && connect_ == nullptr &&
               "a stream was destroyed with an operation in flight");
        if (fd >= 0) release_descriptor();
    }

    SelectorLoop& loop() const noexcept { return loop_; }
    bool open() const noexcept { return fd >= 0 && connect_ == nullptr; }

    Start connect(ConnectOperation& operation, const Endpoint& endpoint,
                  const SocketOptions& options) noexcept {
        assert(fd < 0 && "connecting a stream that is open");
        Fd socket = open_socket(endpoint.family());
        int error = socket ? apply(options, socket.get(), endpoint.family()) : errno;
        if (error == 0 && ::connect(socket.get(), endpoint.address(), endpoint.length) != 0) {
            error = errno;
        }
        if (error == EINPROGRESS) {
            error = begin_watching(std::move(socket), Interest::writable);
            if (error == 0) {
                connect_ = &operation;
                return Start::pending;
            }
        } else if (error == 0) {
            error = adopt(std::move(socket));
        }
        operation.result = error == 0 ? Result<>() : Failure::from_errno(error);
        return Start::done;
    }

    /// Takes over a connected, non-blocking socket; gives 0 or an errno. For listeners.
    int adopt(Fd socket) noexcept { return begin_watching(std::move(socket), Interest::readable); }

    void start_reading(Protocol& protocol) noexcept {
        assert(read_ == nullptr && "start_reading during a read_some");
        protocol_ = &protocol;
        pushing_ = true;
        if (!open()) return;
        if (Sending::lost() != 0) {  // found out while nobody listened
            post_again();
        } else {
            want_to_read();
        }
    }

    /// The protocol still hears of writing: it may have stopped reading because of a pause.
    void stop_reading() noexcept { pushing_ = false; }

    Start read_some(ReadOperation& operation, std::span<std::byte> buffer) noexcept {
        assert(read_ == nullptr && !pushing_ && "two readers on one stream");
        assert(!buffer.empty());
        protocol_ = nullptr;  // the other face takes over
        operation.buffer = buffer;
        if (!open() || Sending::lost() != 0) {
            operation.result = Failure::from_errno(open() ? Sending::lost() : ENOTCONN);
            return Start::done;
        }
        if ((readable_ || end_of_file_) && loop_.may_complete_now() && receive_into(operation)) {
            return Start::done;
        }
        read_ = &operation;
        want_to_read();
        return Start::pending;
    }

    void close(CloseOperation& operation) noexcept {
        protocol_ = nullptr;
        pushing_ = false;
        Sending::complete_later(read_, Failure::cancelled());
        Sending::complete_later(connect_, Failure::cancelled());
        Sending::end_sending(Failure::cancelled());
        if (fd >= 0) release_descriptor();
        operation.result = {};
        loop_.post(operation);
    }

    using Sending::cancel;
    void cancel(ReadOperation& operation) noexcept {
        if (read_ == &operation) Sending::complete_later(read_, Failure::cancelled());
    }
    void cancel(ConnectOperation& operation) noexcept {
        if (connect_ != &operation) return;
        Sending::complete_later(connect_, Failure::cancelled());
        release_descriptor();
    }

  private:
    /// So many reads serve one event before others get their turn.
    static constexpr int reads_per_event = 16;

    static void on_ready_event(Descriptor& descriptor, Ready ready) noexcept {
        auto& stream = static_cast<Stream&>(descriptor);
        if (stream.connect_ != nullptr) {
            stream.finish_connecting();
            return;
        }
        stream.hang_up_ = stream.hang_up_ || ready.hang_up;
        stream.readable_ = stream.readable_ || ready.readable || ready.hang_up;
        if (ready.writable || ready.hang_up) stream.send_waiting();
        if (stream.readable_) stream.read_waiting();
    }

    /// The long way, from the ready queue: what could not be done inside the owner's call.
    static void catch_up(Operation& operation) noexcept {
        auto& stream = static_cast<Stream&>(operation);
        stream.send_waiting();
        stream.tell_about_pause(stream.protocol_);
        if (stream.lost() != 0) {
            stream.tell_lost();
        } else if (stream.readable_ || stream.end_of_file_) {
            stream.read_waiting();
        }
    }

    void post_again() noexcept {
        if (Operation::next == nullptr) loop_.post(*this);
    }

    int descriptor() const noexcept { return fd; }

    int begin_watching(Fd socket, Interest wanted) noexcept {
        fd = socket.get();
        if (const int error = loop_.add(*this, wanted)) {
            fd = -1;
            return error;
        }
        socket.release();
        readable_ = hang_up_ = end_of_file_ = false;
        Sending::reset_sending();
        return 0;
    }

    void release_descriptor() noexcept {
        loop_.withdraw(*this);
        loop_.remove_closing(*this);
        interest = Interest::none;
        ::close(std::exchange(fd, -1));
    }

    void finish_connecting() noexcept {
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        if (error == 0) error = loop_.watch(*this, Interest::readable);
        if (error != 0) release_descriptor();
        connect_->result = error == 0 ? Result<>() : Failure::from_errno(error);
        complete(connect_);
    }

    void want_to_read() noexcept {
        if (readable_ || end_of_file_) {
            post_again();
        } else {
            watch_readable();
        }
    }

    void read_waiting() noexcept {
        if (pushing_) {
            read_for_protocol();
        } else if (read_ != nullptr) {
            if (receive_into(*read_)) {
                complete(read_);  // the owner may destroy the stream in it
            } else {
                watch_readable();
            }
        } else {
            watch_readable();  // nobody wants to know for now
        }
    }

    void read_for_protocol() noexcept {
        for (int i = 0; i < reads_per_event && !end_of_file_; ++i) {
            const std::span buffer(loop_.read_buffer_.get(), loop_.read_buffer_size_);
            const ssize_t got = receive(buffer);
            if (got < 0) break;
            if (got == 0) {
                watch_readable();
                protocol_->eof_received();
                return;
            }
            protocol_->data_received(buffer.first(static_cast<std::size_t>(got)));
            if (!pushing_) return;  // stopped or closed inside
            if (!readable_) break;
        }
        if (Sending::lost() != 0) {
            tell_lost();
        } else if (readable_) {
            post_again();
        } else {
            watch_readable();
        }
    }

    /// Receives once; true when that completed the operation.
    bool receive_into(ReadOperation& operation) noexcept {
        const ssize_t got = end_of_file_ ? 0 : receive(operation.buffer);
        if (got >= 0) {
            operation.result = static_cast<std::size_t>(got);
        } else if (Sending::lost() != 0) {
            operation.result = Failure::from_errno(Sending::lost());
        }
        return got >= 0 || Sending::lost() != 0;
    }

    /// recv(2): the bytes, 0 at end of file, or negative with either `readable_` cleared or the
    /// connection lost.
    ssize_t receive(std::span<std::byte> buffer) noexcept {
        while (true) {
            const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (got > 0) {
                // A short read has drained the socket, unless the end of the file lies behind it.
                const bool drained = static_cast<std::size_t>(got) < buffer.size();
                readable_ = !drained || hang_up_;
                return got;
            }
            if (got < 0 && errno == EINTR) continue;
            readable_ = false;
            if (got == 0 && Sending::lost() == 0) {
                end_of_file_ = true;
            } else if (got == 0) {
                return -1;  // not the end of the file: a send has taken the error away
            } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
                Sending::set_lost(errno);
            }
            return got;
        }
    }

    /// Tells whoever reads that the connection is lost; the stream may be destroyed in it.
    void tell_lost() noexcept {
        loop_.watch(*this, Interest::none);
        if (protocol_ != nullptr) {
            Protocol& protocol = *std::exchange(protocol_, nullptr);
            pushing_ = false;
            protocol.connection_lost(std::error_code(Sending::lost(), std::system_category()));
        } else if (read_ != nullptr) {
            read_->result = Failure::from_errno(Sending::lost());
            complete(read_);
        }
    }

    // What is watched for follows from who waits; with edges, reading always is.
    Interest wanted_reading() const noexcept {
        const bool wanted = (pushing_ || read_ != nullptr) && !end_of_file_;
        return wanted ? Interest::readable : Interest::none;
    }
    void watch_readable() noexcept {
        loop_.watch(*this, (interest & Interest::writable) | wanted_reading());
    }
    void watch_writable(bool on) noexcept {
        const Interest writing = on ? Interest::writable : Interest::none;
        loop_.watch(*this, writing | (interest & Interest::readable));
    }

    template <class AnyOperation>
    static void complete(AnyOperation*& waiting) noexcept {
        AnyOperation& operation = *std::exchange(waiting, nullptr);
        operation.function(operation);
    }

    SelectorLoop& loop_;
    Protocol* protocol_ = nullptr;  // kept while reading is stopped
    ReadOperation* read_ = nullptr;
    ConnectOperation* connect_ = nullptr;
    bool pushing_ = false;  // `protocol_` wants to be read for
    bool readable_ = false;
    bool hang_up_ = false;
    bool end_of_file_ = false;
};

}  // namespace loopbench
