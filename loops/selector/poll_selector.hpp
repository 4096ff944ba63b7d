#pragma once

#include <poll.h>

#include <cerrno>
#include <new>
#include <optional>
#include <vector>

#include "loops/selector/ready_list.hpp"

namespace loopbench {

/// poll(2): an array of descriptors that the kernel walks at every wait. Level-triggered: the loop
/// withdraws interest that nobody has at the moment.
class PollSelector {
  public:
    static constexpr bool edge_triggered = false;
    static constexpr const char* name = "poll";

    static std::optional<std::size_t> descriptor_limit() noexcept { return std::nullopt; }

    int add(Descriptor& descriptor, Interest interest, bool = false) noexcept {
        try {
            watched_.push_back(&descriptor);
            polled_.push_back({});
        } catch (const std::bad_alloc&) {
            watched_.resize(polled_.size());
            return ENOMEM;
        }
        descriptor.slot = static_cast<std::uint32_t>(watched_.size() - 1);
        return modify(descriptor, interest);
    }

    int modify(Descriptor& descriptor, Interest interest) noexcept {
        short events = 0;
        if (any(interest & Interest::readable)) events |= POLLIN | POLLRDHUP;
        if (any(interest & Interest::writable)) events |= POLLOUT;
        // POLLHUP and POLLERR cannot be masked, but negative descriptors are skipped: a connection
        // that is gone must not spin the loop while its owner has no interest in it.
        polled_[descriptor.slot] = {events != 0 ? descriptor.fd : -1, events, 0};
        descriptor.interest = interest;
        return 0;
    }

    void remove(Descriptor& descriptor) noexcept {
        // The last one moves into the gap.
        watched_[descriptor.slot] = watched_.back();
        polled_[descriptor.slot] = polled_.back();
        watched_[descriptor.slot]->slot = descriptor.slot;
        watched_.pop_back();
        polled_.pop_back();
        ready_.forget(descriptor);
    }
    void remove_closing(Descriptor& descriptor) noexcept { remove(descriptor); }

    int wait(std::optional<Duration> timeout) {
        const timespec relative = to_timespec(timeout.value_or(Duration(0)));
        int found = ::ppoll(polled_.data(), polled_.size(), timeout ? &relative : nullptr, nullptr);
        ready_.clear();
        for (std::size_t i = 0; found > 0; ++i) {
            const short events = polled_[i].revents;
            if (events == 0) continue;
            --found;
            ready_.add(*watched_[i], {.readable = (events & POLLIN) != 0,
                                      .writable = (events & POLLOUT) != 0,
                                      .hang_up = (events & (POLLRDHUP | POLLHUP | POLLERR)) != 0});
        }
        return static_cast<int>(ready_.size());
    }

    Descriptor* next(Ready& ready) noexcept { return ready_.next(ready); }

  private:
    std::vector<Descriptor*> watched_;
    std::vector<pollfd> polled_;  // parallel to watched_
    ReadyList ready_;
};

}  // namespace loopbench
