#pragma once

#include <poll.h>

#include <cerrno>

#include "loops/uring/uring_loop.hpp"

namespace loopbench {

/// A watch on a descriptor of the caller: see LoopReadiness in the contract. A poll request reports
/// once, and at once if the descriptor is ready: asking anew after each report gives levels, once a
/// turn. The request lives in a block of its own, which outlives the watch by a turn.
class UringLoop::Readiness {
  public:
    using Function = void (*)(Readiness&, Interest) noexcept;

    Readiness(UringLoop& loop, int descriptor, Function function) noexcept
        : loop_(loop), descriptor_(descriptor), function_(function) {}
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;
    ~Readiness() { stop(); }

    Result<> start(Interest wanted) noexcept {
        if (request_ != nullptr && wanted == wanted_) return {};
        stop();
        if (wanted == Interest::none) return {};
        // The kernel would tell only later that a regular file cannot be watched, epoll tells now:
        // poll(2) says POLLNVAL for what is not open at all.
        pollfd probe{descriptor_, 0, 0};
        if (::poll(&probe, 1, 0) < 0 || (probe.revents & POLLNVAL) != 0) {
            return Failure::from_errno(EBADF);
        }
        wanted_ = wanted;
        request_ = new Request(loop_, *this);
        request_->submit();
        return {};
    }

    void stop() noexcept {
        if (request_ == nullptr) return;
        request_->abandon();
        request_ = nullptr;
        wanted_ = Interest::none;
    }

  private:
    struct Request final : RingRequest {
        Request(UringLoop& its_loop, Readiness& watch) noexcept
            : RingRequest(&completed), loop(its_loop), owner(&watch) {
            ++loop.sockets_;
        }
        ~Request() { --loop.sockets_; }
        static void* operator new(std::size_t size) { return FramePool::allocate(size); }
        static void operator delete(void* memory, std::size_t size) noexcept {
            FramePool::release(memory, size);
        }

        void submit() noexcept {
            unsigned events = 0;
            if (any(owner->wanted_ & Interest::readable)) events |= POLLIN | POLLRDHUP;
            if (any(owner->wanted_ & Interest::writable)) events |= POLLOUT;
            in_kernel = true;
            ::io_uring_prep_poll_add(loop.ring_.prepare(this), owner->descriptor_, events);
        }

        void abandon() noexcept {
            owner = nullptr;
            // Inside its own completion it is freed on the way out.
            if (in_kernel) ::io_uring_prep_cancel(loop.ring_.prepare(nullptr), this, 0);
        }

        static void completed(RingRequest& base, int result, unsigned) noexcept {
            auto& request = static_cast<Request&>(base);
            request.in_kernel = false;
            if (request.owner != nullptr) request.owner->report(result);
            if (request.owner != nullptr) {
                request.submit();
            } else {
                delete &request;
            }
        }

        UringLoop& loop;
        Readiness* owner;
        bool in_kernel = false;
    };

    void report(int events) noexcept {
        const bool hang_up = events < 0 || (events & (POLLERR | POLLHUP | POLLRDHUP)) != 0;
        Interest found = Interest::none;
        if (hang_up || (events & POLLIN) != 0) found = found | Interest::readable;
        if (hang_up || (events & POLLOUT) != 0) found = found | Interest::writable;
        found = found & wanted_;
        if (any(found)) function_(*this, found);
    }

    UringLoop& loop_;
    int descriptor_;
    Function function_;
    Interest wanted_ = Interest::none;
    Request* request_ = nullptr;
};

}  // namespace loopbench
