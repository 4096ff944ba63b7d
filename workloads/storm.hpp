#pragma once

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>

namespace loopbench {

/// The parameters of the timer storm, and what follows from them.
///
/// `mix` is written start:cancel:expire, three weights. The storm goes on in rounds, over `pending`
/// timers. Of the events of a round, by these weights,
///  - start: a pending timer is started anew, which moves its deadline (a keep-alive that saw
///    traffic);
///  - cancel: a pending timer is cancelled, and started again in the same round (a request that was
///    answered in time);
///  - expire: a timer is started with a near deadline, and fires (a timeout that struck).
/// So `pending` timers are pending whenever the loop waits for the first of a round to fire. Every
/// start, cancel and expiry is one handling, that is one operation: an event of the first kind is
/// one handling, of the others two.
struct Storm {
    std::uint32_t pending = 100'000;
    std::uint32_t restarts = 0;  ///< a round
    std::uint32_t cancels = 0;   ///< a round
    std::uint32_t expiries = 0;  ///< a round

    std::uint64_t starts() const noexcept { return std::uint64_t{restarts} + cancels + expiries; }
    /// Operations of a round.
    std::uint64_t handlings() const noexcept { return starts() + cancels + expiries; }

    /// How long after the first near start of a round the first timer is due, at first: longer than
    /// starting them all usually takes, so that none is late before the loop could look.
    std::chrono::nanoseconds lead() const noexcept {
        return std::chrono::milliseconds(1) + std::chrono::nanoseconds(500) * expiries;
    }
    /// The same from when on it is known that starting them took so long.
    static std::chrono::nanoseconds lead_over(std::chrono::nanoseconds starting) noexcept {
        return std::chrono::milliseconds(1) + 2 * starting;
    }
    /// Over how long the deadlines of a round spread: shorter than any loop takes to expire them,
    /// so that what is measured is expiring and not waking up for one timer at a time.
    std::chrono::nanoseconds spread() const noexcept {
        return std::chrono::microseconds(10) + std::chrono::nanoseconds(20) * expiries;
    }
};

/// Reads `pending` (100000) and `mix` ("1:1:1"). Throws `WorkloadError`.
Storm storm_parameters(const nlohmann::json& params);

}  // namespace loopbench
