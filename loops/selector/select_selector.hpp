#pragma once

#include <sys/select.h>

#include <array>
#include <cerrno>
#include <optional>

#include "loops/selector/ready_list.hpp"

namespace loopbench {

/// select(2): bit sets of fixed size. A descriptor at or beyond FD_SETSIZE (1024) cannot be
/// watched: `add` then says EOVERFLOW. Level-triggered, as poll.
class SelectSelector {
  public:
    static constexpr bool edge_triggered = false;
    static constexpr const char* name = "select";

    SelectSelector() noexcept {
        FD_ZERO(&readers_);
        FD_ZERO(&writers_);
    }

    static std::optional<std::size_t> descriptor_limit() noexcept { return FD_SETSIZE; }

    int add(Descriptor& descriptor, Interest interest, bool = false) noexcept {
        if (descriptor.fd >= FD_SETSIZE) return EOVERFLOW;
        watched_[descriptor.fd] = &descriptor;
        if (descriptor.fd >= end_) end_ = descriptor.fd + 1;
        return modify(descriptor, interest);
    }

    int modify(Descriptor& descriptor, Interest interest) noexcept {
        set(readers_, descriptor.fd, any(interest & Interest::readable));
        set(writers_, descriptor.fd, any(interest & Interest::writable));
        descriptor.interest = interest;
        return 0;
    }

    void remove(Descriptor& descriptor) noexcept {
        modify(descriptor, Interest::none);
        watched_[descriptor.fd] = nullptr;
        while (end_ > 0 && watched_[end_ - 1] == nullptr) --end_;
        ready_.forget(descriptor);
    }
    void remove_closing(Descriptor& descriptor) noexcept { remove(descriptor); }

    int wait(std::optional<Duration> timeout) {
        const timespec relative = to_timespec(timeout.value_or(Duration(0)));
        fd_set readable = readers_;
        fd_set writable = writers_;
        int found =
            ::pselect(end_, &readable, &writable, nullptr, timeout ? &relative : nullptr, nullptr);
        ready_.clear();
        for (int fd = 0; found > 0; ++fd) {
            Ready ready;
            // A hang-up or an error shows as readable (and writable), as select(2) has it.
            ready.readable = FD_ISSET(fd, &readable);
            ready.writable = FD_ISSET(fd, &writable);
            if (!ready.readable && !ready.writable) continue;
            found -= static_cast<int>(ready.readable) + static_cast<int>(ready.writable);
            ready_.add(*watched_[fd], ready);
        }
        return static_cast<int>(ready_.size());
    }

    Descriptor* next(Ready& ready) noexcept { return ready_.next(ready); }

  private:
    static void set(fd_set& bits, int fd, bool on) noexcept {
        if (on) {
            FD_SET(fd, &bits);
        } else {
            FD_CLR(fd, &bits);
        }
    }

    std::array<Descriptor*, FD_SETSIZE> watched_{};
    int end_ = 0;  // one beyond the highest that is watched
    fd_set readers_;
    fd_set writers_;
    ReadyList ready_;
};

}  // namespace loopbench
