#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

#include "loops/contract.hpp"
#include "loops/write_queue.hpp"

namespace loopbench {

/// The sending half of a connection, for loops that send by plain non-blocking send(2): now, what
/// the kernel takes; later, when the descriptor is writable again. Or by requests to the kernel,
/// one at a time, which keep the bytes until they complete. Also keeps the error that ended the
/// connection, whichever half found it.
///
/// `Derived` gives `int descriptor()`, `bool open()`, `Loop& loop()`, `watch_writable(bool)`, and
/// `post_again()`, which calls `catch_up` from the ready queue. If it can send by requests, it also
/// gives `bool sends_by_request()`, `request_send(bytes)`, after which it calls `send_completed`,
/// once; `cancel_send()`; and `keep_until_sent(WriteQueue)`.
template <class Derived, class WriteOperation, class ShutdownOperation>
class SendSide {
  public:
    void write(std::span<const std::byte> bytes) noexcept {
        assert(write_ == nullptr && "write during a write_all");
        if (!derived().open() || lost_ != 0) return;
        if (queue_.empty() && !by_request()) {
            bytes = bytes.subspan(send_some(bytes));
            if (bytes.empty() || lost_ != 0) return;
        }
        queue_.append(bytes);
        if (by_request() && flight_ == Flight::none) request(Flight::queue, queue_.front());
        if (queue_.size() > high_water() && !paused_) {
            paused_ = true;
            derived().post_again();  // the owner is told outside its own call
        }
    }

    std::size_t queued_bytes() const noexcept { return queue_.size(); }

    Start write_all(WriteOperation& operation, std::span<const std::byte> bytes) noexcept {
        assert(write_ == nullptr && "two write_all on one stream");
        operation.bytes = bytes;
        operation.sent = 0;
        if (const int error = sending_error()) {
            operation.result = Failure::from_errno(error);
            return Start::done;
        }
        if (by_request()) {
            write_ = &operation;
            if (flight_ == Flight::none) request(Flight::operation, bytes);
            return Start::pending;
        }
        const bool now = derived().loop().may_complete_now();
        if (queue_.empty() && now) {
            operation.sent = send_some(bytes);
            if (operation.sent == bytes.size()) {
                operation.result = bytes.size();
                return Start::done;
            }
            if (lost_ != 0) {
                operation.result = Failure::from_errno(lost_);
                return Start::done;
            }
        }
        write_ = &operation;
        if (!now) derived().post_again();
        return Start::pending;
    }

    Start shutdown_write(ShutdownOperation& operation) noexcept {
        assert(shutdown_ == nullptr && "two shutdowns on one stream");
        if (sending_error() == 0 && (write_ != nullptr || !queue_.empty())) {
            shutdown_ = &operation;
            return Start::pending;
        }
        operation.result = finish_writing();
        return Start::done;
    }

    /// What has been sent of it stays sent: the stream is then fit for closing only.
    void cancel(WriteOperation& operation) noexcept {
        if (write_ != &operation) return;
        if (flight_ == Flight::operation) {
            call_back();  // it completes when the kernel has given the buffer back
        } else {
            complete_later(write_, Failure::cancelled());
        }
    }
    void cancel(ShutdownOperation& operation) noexcept {
        if (shutdown_ == &operation) complete_later(shutdown_, Failure::cancelled());
    }

  protected:
    SendSide() noexcept = default;
    ~SendSide() {
        assert(write_ == nullptr && shutdown_ == nullptr &&
               "a stream was destroyed with an operation in flight");
    }

    /// For a new connection.
    void reset_sending() noexcept {
        lost_ = 0;
        flight_ = Flight::none;
        paused_ = pause_told_ = false;
    }

    /// Sends on with what is queued, then with what `write_all` brought.
    void send_waiting() noexcept {
        if (lost_ != 0) return;
        if (by_request()) {
            if (flight_ != Flight::none) return;
            if (!queue_.empty()) {
                request(Flight::queue, queue_.front());
            } else if (write_ != nullptr) {
                request(Flight::operation, write_->bytes.subspan(write_->sent));
            }
        } else if (!send_now()) {
            return;
        }
        if (queue_.empty() && write_ == nullptr) {
            derived().watch_writable(false);
            if (shutdown_ != nullptr) complete_later(shutdown_, finish_writing());
        }
        if (paused_ && queue_.size() <= high_water() / 4) {
            paused_ = false;
            if (pause_told_) derived().post_again();
        }
    }

    /// Tells the owner about a pause or its end, unless both came since it was told last.
    void tell_about_pause(Protocol* protocol) noexcept {
        if (paused_ == pause_told_ || protocol == nullptr) return;
        pause_told_ = paused_;
        if (paused_) {
            protocol->pause_writing();
        } else {
            protocol->resume_writing();
        }
    }

    /// The errno that ended the connection, or 0.
    int lost() const noexcept { return lost_; }
    /// The connection broke: what waits to be sent will not be.
    void set_lost(int error) noexcept {
        lost_ = error;
        end_sending(Failure::from_errno(error));
    }
    void end_sending(const Failure& why) noexcept {
        if (flight_ == Flight::queue) retire_queue();
        queue_.clear();
        if (flight_ == Flight::operation) {
            call_back();
        } else {
            complete_later(write_, why);
        }
        complete_later(shutdown_, why);
    }

    /// What became of a request: the number of bytes sent, or a negative errno.
    void send_completed(int result) noexcept {
        const Flight flight = std::exchange(flight_, Flight::none);
        const bool called_back = std::exchange(called_back_, false);
        const auto sent = static_cast<std::size_t>(std::max(result, 0));
        if (flight == Flight::queue && !queue_.empty()) queue_.consume(sent);
        if (flight == Flight::operation) {
            write_->sent += sent;
            if (write_->sent == write_->bytes.size()) {
                complete_later(write_, write_->bytes.size());
            } else if (lost_ != 0) {
                complete_later(write_, Failure::from_errno(lost_));
            } else if (called_back) {
                complete_later(write_, Failure::cancelled());
            }
        }
        if (result < 0 && result != -ECANCELED && result != -EINTR && lost_ == 0) {
            set_lost(-result);
            derived().post_again();  // the owner learns of it from the ready queue
        }
        if (derived().open()) send_waiting();
    }

    template <class AnyOperation, class AnyResult>
    void complete_later(AnyOperation*& waiting, AnyResult result) noexcept {
        if (waiting == nullptr) return;
        AnyOperation& operation = *std::exchange(waiting, nullptr);
        operation.result = std::move(result);
        derived().loop().post(operation);
    }

  private:
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }
    std::size_t high_water() noexcept { return derived().loop().high_water(); }
    int sending_error() noexcept { return derived().open() ? lost_ : ENOTCONN; }

    /// Sends from the queue, then from `write_all`, until the kernel takes no more; false when the
    /// connection broke, and the queue is dropped.
    bool send_now() noexcept {
        bool taken = true;
        while (taken && !queue_.empty()) {
            const auto bytes = queue_.front();
            const std::size_t sent = send_some(bytes);
            if (lost_ != 0) return false;
            taken = sent == bytes.size();
            queue_.consume(sent);
        }
        if (queue_.empty() && write_ != nullptr) {
            const std::size_t sent = send_some(write_->bytes.subspan(write_->sent));
            if (lost_ != 0) return false;  // and `write_` has failed
            write_->sent += sent;
            if (write_->sent == write_->bytes.size()) {
                // Later, because the stream may be destroyed in it, and the caller goes on to read.
                complete_later(write_, write_->bytes.size());
            }
        }
        return true;
    }

    // ---- by requests ----

    /// Whose bytes the request in the kernel sends.
    enum class Flight : unsigned char { none, queue, operation };

    bool by_request() noexcept {
        if constexpr (requires { derived().sends_by_request(); }) {
            return derived().sends_by_request();
        }
        return false;
    }
    void request(Flight flight, std::span<const std::byte> bytes) noexcept {
        flight_ = flight;
        if constexpr (requires { derived().request_send(bytes); }) derived().request_send(bytes);
    }
    void call_back() noexcept {
        called_back_ = true;
        if constexpr (requires { derived().cancel_send(); }) derived().cancel_send();
    }
    /// The kernel still reads the bytes: they go when it is done.
    void retire_queue() noexcept {
        if constexpr (requires { derived().keep_until_sent(std::move(queue_)); }) {
            derived().keep_until_sent(std::move(queue_));
        }
    }

    /// Sends what the kernel takes now of `bytes`; the rest is to be waited for unless `lost_`.
    std::size_t send_some(std::span<const std::byte> bytes) noexcept {
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            const ssize_t count = ::send(derived().descriptor(), bytes.data() + sent,
                                         bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count >= 0) {
                sent += static_cast<std::size_t>(count);
            } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
                derived().watch_writable(true);
                break;
            } else if (errno != EINTR) {
                set_lost(errno);
                derived().post_again();  // the owner learns of it outside its own call
                break;
            }
        }
        return sent;
    }

    Result<> finish_writing() noexcept {
        if (const int error = sending_error()) return Failure::from_errno(error);
        if (::shutdown(derived().descriptor(), SHUT_WR) != 0) return Failure::from_errno(errno);
        return {};
    }

    WriteQueue queue_;
    WriteOperation* write_ = nullptr;
    ShutdownOperation* shutdown_ = nullptr;
    int lost_ = 0;
    bool paused_ = false;      // above the high-water mark and not yet below a quarter of it
    bool pause_told_ = false;  // what the owner was told last
    Flight flight_ = Flight::none;
    bool called_back_ = false;
};

}  // namespace loopbench
