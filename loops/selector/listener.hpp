#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "loops/selector/selector_loop.hpp"
#include "loops/socket.hpp"

namespace loopbench {

/// A listening socket of a selector loop: see LoopListener in the contract.
template <class Selector>
class SelectorLoop<Selector>::Listener : private Descriptor, private Operation {
  public:
    explicit Listener(SelectorLoop& loop) noexcept
        : Descriptor(&on_ready_event), Operation(&on_posted), loop_(loop), retry_(loop, *this) {}
    ~Listener() {
        assert(accept_ == nullptr && "a listener was destroyed with an accept in flight");
        release_descriptor();
    }

    SelectorLoop& loop() const noexcept { return loop_; }

    Result<> listen(const Endpoint& endpoint, const ListenOptions& options) noexcept {
        assert(fd < 0 && "listening twice");
        Fd socket;
        int error = open_listener(endpoint, options, socket);
        if (error == 0) {
            fd = socket.get();
            error = loop_.selector_.add(*this, Interest::readable);
            if (error != 0) fd = -1;
        }
        if (error != 0) return Failure::from_errno(error);
        socket.release();
        options_ = options.socket;
        family_ = endpoint.family();
        return {};
    }

    Endpoint local_endpoint() const noexcept { return local_endpoint_of(fd); }

    Start accept(AcceptOperation& operation, Stream& stream) noexcept {
        assert(accept_ == nullptr && "two accepts on one listener");
        assert(!stream.open() && "accepting into a stream that is open");
        if (fd < 0) {
            operation.result = Failure::from_errno(EINVAL);
            return Start::done;
        }
        operation.stream = &stream;
        if (waiting_ && !retry_.pending()) {
            if (!loop_.may_complete_now()) {
                accept_ = &operation;
                if (Operation::next == nullptr) loop_.post(*this);
                return Start::pending;
            }
            if (take_one(operation)) return Start::done;
        }
        accept_ = &operation;
        if (!waiting_) loop_.watch(*this, Interest::readable);
        return Start::pending;
    }

    void cancel(AcceptOperation& operation) noexcept {
        if (accept_ == &operation) complete_cancelled();
    }

    void close(CloseOperation& operation) noexcept {
        if (accept_ != nullptr) complete_cancelled();
        release_descriptor();
        operation.result = {};
        loop_.post(operation);
    }

  private:
    /// How long to wait after a shortage before trying again: nothing tells us when it is over.
    static constexpr std::chrono::milliseconds shortage_pause{100};

    struct Retry : Timer {
        Retry(SelectorLoop& loop, Listener& owner) noexcept : Timer(loop, &run), listener(owner) {}
        static void run(Timer& timer) noexcept {
            static_cast<Retry&>(timer).listener.accept_waiting();
        }
        Listener& listener;
    };

    static void on_ready_event(Descriptor& descriptor, Ready) noexcept {
        auto& listener = static_cast<Listener&>(descriptor);
        listener.waiting_ = true;
        listener.accept_waiting();
    }

    static void on_posted(Operation& operation) noexcept {
        static_cast<Listener&>(operation).accept_waiting();
    }

    void accept_waiting() noexcept {
        if (retry_.pending()) return;
        if (accept_ == nullptr) {
            if (!Selector::edge_triggered) loop_.watch(*this, Interest::none);
            return;
        }
        if (!take_one(*accept_)) return;
        AcceptOperation& operation = *std::exchange(accept_, nullptr);
        operation.function(operation);
    }

    /// Accepts one connection; true when that completed the operation, with success or an error.
    bool take_one(AcceptOperation& operation) noexcept {
        while (true) {
            Fd socket(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (socket) {
                operation.result = hand_over(std::move(socket), *operation.stream);
                return true;
            }
            switch (errno) {
                case EAGAIN:
                    waiting_ = false;
                    loop_.watch(*this, Interest::readable);
                    return false;
                case EMFILE:   // of this process
                case ENFILE:   // of the system
                case ENOBUFS:  // memory for sockets
                case ENOMEM:
                    // The connection stays in the backlog. A level-triggered selector must not
                    // report it meanwhile.
                    if (!Selector::edge_triggered) loop_.watch(*this, Interest::none);
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
                    operation.result = Failure::from_errno(errno);
                    return true;
            }
        }
    }

    Result<> hand_over(Fd socket, Stream& stream) noexcept {
        int error = 0;
        // TCP connections have inherited the options; Unix ones do not.
        if (family_ == AF_UNIX) error = apply(options_, socket.get(), family_);
        if (error == 0) error = stream.adopt(std::move(socket));
        if (error != 0) return Failure::from_errno(error);
        return {};
    }

    void complete_cancelled() noexcept {
        AcceptOperation& operation = *std::exchange(accept_, nullptr);
        operation.result = Failure::cancelled();
        loop_.post(operation);
    }

    void release_descriptor() noexcept {
        if (fd < 0) return;
        retry_.cancel();
        loop_.withdraw(*this);
        loop_.selector_.remove_closing(*this);
        Descriptor::interest = Interest::none;
        ::close(std::exchange(fd, -1));
        waiting_ = false;
    }

    SelectorLoop& loop_;
    AcceptOperation* accept_ = nullptr;
    Retry retry_;
    SocketOptions options_;
    int family_ = 0;
    bool waiting_ = false;  // the backlog may hold a connection
};

}  // namespace loopbench
