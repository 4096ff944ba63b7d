#pragma once

#include <chrono>
#include <cstdint>

#include "harness/driver/connection_set.hpp"
#include "harness/driver/parameters.hpp"
#include "results/histogram.hpp"

namespace loopbench::driver {

/// What a slice did.
struct SliceReport {
    std::uint64_t operations = 0;  ///< round trips; fan-in: messages
    std::uint64_t rounds = 0;      ///< split echo: messages on the connection that had the fewest
    std::uint64_t bytes = 0;       ///< one way
    std::chrono::nanoseconds elapsed{0};  ///< from the first send to the last answer
};

/// The ways to pace a slice, a file each. All start and end with nothing under way, check every
/// byte, allocate nothing, and record latencies in nanoseconds. They throw DriverError when an
/// answer is wrong or missing and HarnessGone when standard input ended; the connections are of no
/// use then.
///
/// A latency runs from just before a message is handed to the kernel until its last answering byte
/// was read: one reading of the clock a send, one a receive that completes something, which is 24
/// ns each and not charged to the server.

/// Echo in rounds: one message on every active connection, then wait for all of them.
SliceReport run_echo_lockstep(ConnectionSet& connections, const SliceOrder& order,
                              Histogram& latency);

/// Echo at each connection's own pace, `pipeline` messages under way on each.
SliceReport run_echo_split(ConnectionSet& connections, const SliceOrder& order, Histogram& latency);

/// Fan-in in rounds, each acknowledged as a whole: one under way in lockstep, `pipeline` in split
/// placement. The latency is that of a sender's share of a round until the acknowledgement: one
/// value a sender and round, so that with `stream` there are fewer values than messages.
SliceReport run_fanin(ConnectionSet& connections, const SliceOrder& order, Histogram& latency);

/// Fan-in's hello on every connection, once after connecting. Throws DriverError.
void send_hellos(ConnectionSet& connections);

/// Whether a slice in rounds ends after `rounds` of them, each with `operations_each` operations a
/// connection.
inline bool is_over(const SliceOrder& order, std::uint64_t rounds, std::uint64_t operations_each,
                    std::chrono::nanoseconds elapsed) noexcept {
    if (order.rounds > 0) return rounds == order.rounds;
    return elapsed >= order.min_time && rounds * operations_each >= order.min_operations;
}

}  // namespace loopbench::driver
