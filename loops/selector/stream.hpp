#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "loops/selector/selector_loop.hpp"
#include "loops/socket.hpp"
#include "loops/write_queue.hpp"

namespace loopbench {

/// A connection of a selector loop: see LoopStream in the contract.
///
/// `readable_` remembers that the kernel may have bytes for us: an event sets it, a short read or
/// EAGAIN clears it. So nothing is read before the first event (it would be a system call for
/// EAGAIN), and no second read is made to find out that the first one drained the socket.
template <class Selector>
class SelectorLoop<Selector>::Stream : private Descriptor, private Operation {
  public:
    explicit Stream(SelectorLoop& loop) noexcept
        : Descriptor(&on_ready_event), Operation(&on_posted), loop_(loop) {}
    ~Stream() {
        assert(read_ == nullptr && write_ == nullptr && connect_ == nullptr &&
               shutdown_ == nullptr && "a stream was destroyed with an operation in flight");
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
        if (error == 0) error = adopt(std::move(socket));
        if (error == EINPROGRESS) {
            error = begin_watching(std::move(socket), Interest::writable);
            if (error == 0) {
                connect_ = &operation;
                return Start::pending;
            }
        }
        operation.result = error == 0 ? Result<>() : Failure::from_errno(error);
        return Start::done;
    }

    /// Takes over a connected, non-blocking socket; gives 0 or an errno. For listeners.
    int adopt(Fd socket) noexcept { return begin_watching(std::move(socket), Interest::readable); }

    void start_reading(Protocol& protocol) noexcept {
        assert(read_ == nullptr && "start_reading during a read_some");
        protocol_ = &protocol;
        if (!open()) return;
        if (lost_) {  // found out while nobody listened
            post_again();
        } else {
            want_to_read();
        }
    }

    void stop_reading() noexcept { protocol_ = nullptr; }

    void write(std::span<const std::byte> bytes) noexcept {
        assert(write_ == nullptr && "write during a write_all");
        if (!open() || lost_) return;
        if (queue_.empty()) {
            const std::size_t sent = send_some(bytes);
            bytes = bytes.subspan(sent);
            if (bytes.empty() || lost_) return;
        }
        queue_.append(bytes);
        if (queue_.size() > loop_.high_water_ && !paused_) {
            paused_ = true;
            post_again();  // the owner is told outside its own call
        }
    }

    std::size_t queued_bytes() const noexcept { return queue_.size(); }

    Start read_some(ReadOperation& operation, std::span<std::byte> buffer) noexcept {
        assert(read_ == nullptr && protocol_ == nullptr && "two readers on one stream");
        assert(!buffer.empty());
        operation.buffer = buffer;
        if (!open() || lost_ != 0) {
            operation.result = Failure::from_errno(open() ? lost_ : ENOTCONN);
            return Start::done;
        }
        if ((readable_ || end_of_file_) && loop_.may_complete_now() && receive_into(operation))
            return Start::done;
        read_ = &operation;
        want_to_read();
        return Start::pending;
    }

    Start write_all(WriteOperation& operation, std::span<const std::byte> bytes) noexcept {
        assert(write_ == nullptr && "two write_all on one stream");
        if (!open() || lost_ != 0) {
            operation.result = Failure::from_errno(open() ? lost_ : ENOTCONN);
            return Start::done;
        }
        operation.bytes = bytes;
        operation.sent = 0;
        const bool now = loop_.may_complete_now();
        if (queue_.empty() && now) {
            operation.sent = send_some(bytes);
            if (operation.sent == bytes.size()) {
                operation.result = bytes.size();
                return Start::done;
            }
            if (lost_) {
                operation.result = Failure::from_errno(lost_);
                return Start::done;
            }
        }
        write_ = &operation;
        if (!now) post_again();
        return Start::pending;
    }

    Start shutdown_write(ShutdownOperation& operation) noexcept {
        assert(shutdown_ == nullptr && "two shutdowns on one stream");
        if (open() && !lost_ && (write_ != nullptr || !queue_.empty())) {
            shutdown_ = &operation;
            return Start::pending;
        }
        operation.result = finish_writing();
        return Start::done;
    }

    void close(CloseOperation& operation) noexcept {
        protocol_ = nullptr;
        complete_later(read_, Failure::cancelled());
        complete_later(write_, Failure::cancelled());
        complete_later(connect_, Failure::cancelled());
        complete_later(shutdown_, Failure::cancelled());
        if (fd >= 0) release_descriptor();
        operation.result = {};
        loop_.post(operation);
    }

    void cancel(ReadOperation& operation) noexcept {
        if (read_ == &operation) complete_later(read_, Failure::cancelled());
    }
    /// What has been sent of it stays sent: the stream is then fit for closing only.
    void cancel(WriteOperation& operation) noexcept {
        if (write_ == &operation) complete_later(write_, Failure::cancelled());
    }
    void cancel(ShutdownOperation& operation) noexcept {
        if (shutdown_ == &operation) complete_later(shutdown_, Failure::cancelled());
    }
    void cancel(ConnectOperation& operation) noexcept {
        if (connect_ != &operation) return;
        complete_later(connect_, Failure::cancelled());
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

    /// The long way: what could not be done inside the owner's call.
    static void on_posted(Operation& operation) noexcept {
        auto& stream = static_cast<Stream&>(operation);
        stream.send_waiting();
        stream.tell_about_writing();
        if (stream.lost_ != 0) {
            stream.tell_lost();
        } else if (stream.readable_ || stream.end_of_file_) {
            stream.read_waiting();
        }
    }

    void post_again() noexcept {
        if (Operation::next == nullptr) loop_.post(*this);
    }

    int begin_watching(Fd socket, Interest wanted) noexcept {
        fd = socket.get();
        if (const int error = loop_.selector_.add(*this, wanted)) {
            fd = -1;
            return error;
        }
        socket.release();
        readable_ = hang_up_ = end_of_file_ = paused_ = pause_told_ = false;
        lost_ = 0;
        return 0;
    }

    void release_descriptor() noexcept {
        loop_.withdraw(*this);
        loop_.selector_.remove_closing(*this);
        Descriptor::interest = Interest::none;
        ::close(std::exchange(fd, -1));
        queue_.clear();
    }

    void finish_connecting() noexcept {
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        if (error == 0) error = loop_.watch(*this, Interest::readable);
        if (error != 0) release_descriptor();
        complete(connect_, error == 0 ? Result<>() : Failure::from_errno(error));
    }

    // ---- reading ----

    void want_to_read() noexcept {
        if (readable_ || end_of_file_) {
            post_again();
        } else {
            watch_for(writing_is_watched());
        }
    }

    void read_waiting() noexcept {
        if (protocol_ != nullptr) {
            read_for_protocol();
        } else if (read_ != nullptr) {
            if (receive_into(*read_)) {
                complete(read_);  // the owner may destroy the stream in it
            } else {
                watch_for(writing_is_watched());
            }
        } else if (!Selector::edge_triggered) {
            loop_.watch(*this, writing_is_watched());  // nobody wants to know for now
        }
    }

    void read_for_protocol() noexcept {
        for (int i = 0; i < reads_per_event; ++i) {
            if (end_of_file_) return;
            const std::span buffer(loop_.read_buffer_.get(), loop_.read_buffer_size_);
            const ssize_t got = receive(buffer);
            if (got < 0) break;
            if (got == 0) {
                end_of_file_ = true;
                if (!Selector::edge_triggered) loop_.watch(*this, writing_is_watched());
                protocol_->eof_received();
                return;
            }
            protocol_->data_received(buffer.first(static_cast<std::size_t>(got)));
            if (protocol_ == nullptr) return;  // stopped or closed inside
            if (!readable_) break;
        }
        if (lost_ != 0) {
            tell_lost();
        } else if (readable_) {
            post_again();
        } else {
            watch_for(writing_is_watched());
        }
    }

    /// Receives once; true when that completed the operation.
    bool receive_into(ReadOperation& operation) noexcept {
        if (end_of_file_) {
            operation.result = std::size_t{0};
            return true;
        }
        const ssize_t got = receive(operation.buffer);
        if (got > 0) {
            operation.result = static_cast<std::size_t>(got);
        } else if (got == 0) {
            end_of_file_ = true;
            operation.result = std::size_t{0};
        } else if (lost_ != 0) {
            operation.result = Failure::from_errno(lost_);
        } else {
            return false;
        }
        return true;
    }

    /// recv(2): the bytes, 0 at end of file, or negative with either `readable_` cleared or `lost_`
    /// set.
    ssize_t receive(std::span<std::byte> buffer) noexcept {
        while (true) {
            const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (got >= 0) {
                // A short read has drained the socket; only a hang-up leaves something to fetch.
                const bool drained = static_cast<std::size_t>(got) < buffer.size();
                readable_ = !drained || (hang_up_ && got > 0);
                return got;
            }
            if (errno == EINTR) continue;
            readable_ = false;
            if (errno != EAGAIN && errno != EWOULDBLOCK) lost_ = errno;
            return -1;
        }
    }

    // ---- writing ----

    /// Sends what the kernel takes now of `bytes`; the rest is to be waited for unless `lost_`.
    std::size_t send_some(std::span<const std::byte> bytes) noexcept {
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            const ssize_t count =
                ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (count >= 0) {
                sent += static_cast<std::size_t>(count);
                continue;
            }
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                loop_.watch(*this, Interest::writable | reading_is_watched());
            } else {
                set_lost(errno);
            }
            break;
        }
        return sent;
    }

    /// Sends on with what is queued, then with what `write_all` brought.
    void send_waiting() noexcept {
        if (lost_ != 0) return;
        if (!queue_.empty()) queue_.consume(send_some(queue_.front()));
        if (queue_.empty() && write_ != nullptr && lost_ == 0) {
            write_->sent += send_some(write_->bytes.subspan(write_->sent));
            if (write_->sent == write_->bytes.size()) {
                // Later, because the stream may be destroyed in it, and we go on to read.
                complete_later(write_, write_->bytes.size());
            }
        }
        if (lost_ == 0 && queue_.empty() && write_ == nullptr) finished_sending();
        if (paused_ && queue_.size() <= loop_.high_water_ / 4) {
            paused_ = false;
            if (pause_told_) post_again();
        }
    }

    void finished_sending() noexcept {
        if (writing_is_watched() != Interest::none) loop_.watch(*this, reading_is_watched());
        if (shutdown_ != nullptr) complete_later(shutdown_, finish_writing());
    }

    Result<> finish_writing() noexcept {
        if (!open()) return Failure::from_errno(ENOTCONN);
        if (lost_ != 0) return Failure::from_errno(lost_);
        if (::shutdown(fd, SHUT_WR) != 0) return Failure::from_errno(errno);
        return {};
    }

    /// Tells the owner about a pause or its end, unless both came since it was told last.
    void tell_about_writing() noexcept {
        if (paused_ == pause_told_ || protocol_ == nullptr) return;
        pause_told_ = paused_;
        if (paused_) {
            protocol_->pause_writing();
        } else {
            protocol_->resume_writing();
        }
    }

    /// The connection broke: everybody who waits learns of it from the ready queue.
    void set_lost(int error) noexcept {
        lost_ = error;
        queue_.clear();
        complete_later(write_, Failure::from_errno(error));
        complete_later(shutdown_, Failure::from_errno(error));
        post_again();
    }

    void tell_lost() noexcept {
        queue_.clear();
        if (!Selector::edge_triggered) loop_.watch(*this, Interest::none);
        complete_later(write_, Failure::from_errno(lost_));
        complete_later(shutdown_, Failure::from_errno(lost_));
        if (protocol_ != nullptr) {
            Protocol& protocol = *std::exchange(protocol_, nullptr);
            protocol.connection_lost(std::error_code(lost_, std::system_category()));
        } else if (read_ != nullptr) {
            complete(read_, Failure::from_errno(lost_));
        }
    }

    // ---- interest ----

    bool reading_is_wanted() const noexcept {
        return (protocol_ != nullptr || read_ != nullptr) && !end_of_file_;
    }
    Interest reading_is_watched() const noexcept {
        return reading_is_wanted() ? Interest::readable : Interest::none;
    }
    Interest writing_is_watched() const noexcept {
        return Descriptor::interest & Interest::writable;
    }
    void watch_for(Interest writing) noexcept {
        loop_.watch(*this, writing | reading_is_watched());
    }

    // ---- completing ----

    template <class AnyOperation, class AnyResult>
    void complete_later(AnyOperation*& waiting, AnyResult result) noexcept {
        if (waiting == nullptr) return;
        AnyOperation& operation = *std::exchange(waiting, nullptr);
        operation.result = std::move(result);
        loop_.post(operation);
    }

    template <class AnyOperation, class AnyResult>
    void complete(AnyOperation*& waiting, AnyResult result) noexcept {
        waiting->result = std::move(result);
        complete(waiting);
    }
    template <class AnyOperation>
    void complete(AnyOperation*& waiting) noexcept {
        AnyOperation& operation = *std::exchange(waiting, nullptr);
        operation.function(operation);
    }

    SelectorLoop& loop_;
    Protocol* protocol_ = nullptr;
    ReadOperation* read_ = nullptr;
    WriteOperation* write_ = nullptr;
    ConnectOperation* connect_ = nullptr;
    ShutdownOperation* shutdown_ = nullptr;
    WriteQueue queue_;
    int lost_ = 0;  // the errno that ended the connection
    bool readable_ = false;
    bool hang_up_ = false;
    bool end_of_file_ = false;
    bool paused_ = false;      // above the high-water mark and not yet below a quarter of it
    bool pause_told_ = false;  // what the owner was told last
};

}  // namespace loopbench
