#pragma once

#include <cstdint>
#include <ctime>

#include "loops/contract.hpp"

namespace loopbench {

/// What a selector found out about a descriptor.
struct Ready {
    bool readable = false;
    bool writable = false;
    bool hang_up = false;  ///< the peer will send no more, or there is an error to fetch
};

/// A descriptor as a selector loop watches it: the base of streams, listeners and readiness
/// watches.
struct Descriptor {
    using Function = void (*)(Descriptor&, Ready) noexcept;

    explicit Descriptor(Function function) noexcept : on_ready(function) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    Function on_ready;
    int fd = -1;
    std::uint32_t slot = 0;              ///< the selector's own
    Interest interest = Interest::none;  ///< what the selector watches for now
};

/// A duration, not negative, as the kernel's waits take it.
inline timespec to_timespec(Duration duration) noexcept {
    return {.tv_sec = duration.count() / 1'000'000'000,
            .tv_nsec = duration.count() % 1'000'000'000};
}

}  // namespace loopbench
