#pragma once

#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <chrono>
#include <utility>

#include "loops/contract.hpp"
#include "loops/loop_core.hpp"
#include "loops/socket.hpp"

namespace loopbench {

/// The accepting of a listener, for loops that are told by the kernel when somebody is there: then
/// by accept4(2) until EAGAIN, so that a burst costs one wake-up, or as `Derived` does it.
///
/// `Derived` owns the descriptor: it takes it by `int begin_watching(Fd)` (0 or an errno) and tells
/// it by `descriptor()` (negative without one). It gives `Loop& loop()`, `await_connection()`,
/// which leads to a call of `somebody_is_there`, and `await_nobody()`, which takes that back where
/// it would be repeated. `take_connection` gives the next connection, or -1 with accept4's errno.
/// `Stream::adopt(Fd)` takes an accepted descriptor; `Timer` is the loop's.
template <class Derived, class Loop, class Stream, class AcceptOperation,
          class Timer = LoopCore::Timer>
class AcceptSide : private Operation {
  public:
    Result<> listen(const Endpoint& endpoint, const ListenOptions& options) noexcept {
        assert(derived().descriptor() < 0 && "listening twice");
        Fd socket;
        int error = open_listener(endpoint, options, socket);
        if (error == 0) error = derived().begin_watching(std::move(socket));
        if (error != 0) return Failure::from_errno(error);
        options_ = options.socket;
        family_ = endpoint.family();
        return {};
    }

    Endpoint local_endpoint() const noexcept {
        return local_endpoint_of(static_cast<const Derived&>(*this).descriptor());
    }

    Start accept(AcceptOperation& operation, Stream& stream) noexcept {
        assert(accept_ == nullptr && "two accepts on one listener");
        assert(!stream.open() && "accepting into a stream that is open");
        if (derived().descriptor() < 0) {
            operation.result = Failure::from_errno(EINVAL);
            return Start::done;
        }
        operation.stream = &stream;
        accept_ = &operation;
        if (!somebody_ || retry_.pending()) {
            if (!somebody_) derived().await_connection();
        } else if (!derived().loop().may_complete_now()) {
            if (Operation::next == nullptr) derived().loop().post(*this);
        } else if (take_one()) {
            accept_ = nullptr;
            return Start::done;
        }
        return Start::pending;
    }

    void cancel(AcceptOperation& operation) noexcept {
        if (accept_ == &operation) cancel_accept();
    }

  protected:
    explicit AcceptSide(Loop& loop) noexcept : Operation(&catch_up), retry_(loop, *this) {}
    ~AcceptSide() {
        assert(accept_ == nullptr && "a listener was destroyed with an accept in flight");
    }

    int take_connection() noexcept {
        return ::accept4(derived().descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }

    /// The kernel reports a connection: accepts it, if anybody waits for it.
    void somebody_is_there() noexcept {
        somebody_ = true;
        accept_waiting();
    }

    /// Completes what waits as cancelled, and forgets about the descriptor.
    void stop_accepting() noexcept {
        if (accept_ != nullptr) cancel_accept();
        retry_.cancel();
        derived().loop().withdraw(*this);
        somebody_ = false;
    }

  private:
    /// How long to wait after a shortage before trying again: nothing tells us when it is over.
    static constexpr std::chrono::milliseconds shortage_pause{100};

    struct Retry final : Timer {
        Retry(Loop& loop, AcceptSide& owner) noexcept : Timer(loop, &run), listener(owner) {}
        static void run(Timer& timer) noexcept {
            static_cast<Retry&>(timer).listener.accept_waiting();
        }
        AcceptSide& listener;
    };

    Derived& derived() noexcept { return static_cast<Derived&>(*this); }

    static void catch_up(Operation& operation) noexcept {
        static_cast<AcceptSide&>(operation).accept_waiting();
    }

    void accept_waiting() noexcept {
        if (accept_ == nullptr) {
            derived().await_nobody();
        } else if (!retry_.pending() && take_one()) {
            AcceptOperation& operation = *std::exchange(accept_, nullptr);
            operation.function(operation);
        }
    }

    /// Accepts one connection; true when that completed the operation, with success or an error.
    bool take_one() noexcept {
        while (true) {
            Fd socket(derived().take_connection());
            if (socket) {
                accept_->result = hand_over(std::move(socket));
                return true;
            }
            switch (errno) {
                case EAGAIN:
                    somebody_ = false;
                    derived().await_connection();
                    return false;
                case EMFILE:   // of this process
                case ENFILE:   // of the system
                case ENOBUFS:  // memory for sockets
                case ENOMEM:
                    // The connection stays in the backlog and must not be reported meanwhile.
                    derived().await_nobody();
                    retry_.start_after(shortage_pause);
                    return false;
                case EINTR:
                    break;
                // accept(2): on Linux, errors already pending on the new socket come out here, and
                // concern only the connection that is now gone.
                case ECONNABORTED:
                case EPROTO:
                case ENETDOWN:
                case ENETUNREACH:
                case EHOSTDOWN:
                case EHOSTUNREACH:
                case ENONET:
                case ENOPROTOOPT:
                    break;
                default:
                    accept_->result = Failure::from_errno(errno);
                    return true;
            }
        }
    }

    Result<> hand_over(Fd socket) noexcept {
        int error = 0;
        // TCP connections have inherited the options; Unix ones do not.
        if (family_ == AF_UNIX) error = apply(options_, socket.get(), family_);
        if (error == 0) error = accept_->stream->adopt(std::move(socket));
        if (error != 0) return Failure::from_errno(error);
        return {};
    }

    void cancel_accept() noexcept {
        AcceptOperation& operation = *std::exchange(accept_, nullptr);
        operation.result = Failure::cancelled();
        derived().loop().post(operation);
    }

    AcceptOperation* accept_ = nullptr;
    Retry retry_;
    SocketOptions options_;
    int family_ = 0;
    bool somebody_ = false;  // the backlog may hold a connection
};

}  // namespace loopbench
