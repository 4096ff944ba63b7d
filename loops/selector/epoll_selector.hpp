#pragma once

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "loops/fd.hpp"
#include "loops/selector/descriptor.hpp"

namespace loopbench {

/// epoll(7). Streams and listeners are watched edge-triggered and registered once: reading is
/// watched for from the start, writing only once a send has met EAGAIN. (Writing is not watched for
/// from the start because a Unix socket would then report an edge each time the peer takes bytes
/// out.)
class EpollSelector {
  public:
    /// Events come on edges only, so interest in reading need never be withdrawn.
    static constexpr bool edge_triggered = true;
    static constexpr const char* name = "epoll";

    EpollSelector() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (!epoll_) throw std::system_error(errno, std::system_category(), "epoll_create1");
    }

    static std::optional<std::size_t> descriptor_limit() noexcept { return std::nullopt; }

    /// Begins to watch; gives 0 or an errno. `level` asks for level-triggered events.
    int add(Descriptor& descriptor, Interest interest, bool level = false) noexcept {
        descriptor.slot = level ? 0u : static_cast<std::uint32_t>(EPOLLET);
        return control(EPOLL_CTL_ADD, descriptor, interest);
    }
    int modify(Descriptor& descriptor, Interest interest) noexcept {
        return control(EPOLL_CTL_MOD, descriptor, interest);
    }
    /// Ends watching a descriptor that stays open.
    void remove(Descriptor& descriptor) noexcept {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor.fd, nullptr);
        forget(descriptor);
    }
    /// Ends watching one that is about to be closed: close(2) takes it out of the epoll set, which
    /// saves a system call (nothing here duplicates descriptors).
    void remove_closing(Descriptor& descriptor) noexcept { forget(descriptor); }

    /// Waits for events at most `timeout` (nullopt: for ever); gives their number.
    int wait(std::optional<Duration> timeout) noexcept {
        const timespec relative = to_timespec(timeout.value_or(Duration(0)));
        next_ = 0;
        const int found = ::epoll_pwait2(epoll_.get(), events_.data(), events_.size(),
                                         timeout ? &relative : nullptr, nullptr);
        count_ = found > 0 ? found : 0;  // EINTR: nothing found
        return count_;
    }

    /// The next event of the last wait, or null.
    Descriptor* next(Ready& ready) noexcept {
        while (next_ < count_) {
            const epoll_event& event = events_[next_++];
            if (event.data.ptr == nullptr) continue;  // forgotten
            ready.readable = (event.events & EPOLLIN) != 0;
            ready.writable = (event.events & EPOLLOUT) != 0;
            ready.hang_up = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
            return static_cast<Descriptor*>(event.data.ptr);
        }
        return nullptr;
    }

  private:
    int control(int what, Descriptor& descriptor, Interest interest) noexcept {
        epoll_event event{};
        event.events = descriptor.slot;
        if (any(interest & Interest::readable)) event.events |= EPOLLIN | EPOLLRDHUP;
        if (any(interest & Interest::writable)) event.events |= EPOLLOUT;
        event.data.ptr = &descriptor;
        if (::epoll_ctl(epoll_.get(), what, descriptor.fd, &event) != 0) return errno;
        descriptor.interest = interest;
        return 0;
    }

    /// Drops what the last wait found for it and has not been handed out.
    void forget(const Descriptor& descriptor) noexcept {
        for (int i = next_; i < count_; ++i) {
            if (events_[i].data.ptr == &descriptor) events_[i].data.ptr = nullptr;
        }
    }

    Fd epoll_;
    int next_ = 0;
    int count_ = 0;
    std::array<epoll_event, 1024> events_;
};

}  // namespace loopbench
