#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/driver/connection_set.hpp"
#include "harness/driver/parameters.hpp"
#include "harness/driver/schedule.hpp"
#include "results/histogram.hpp"

namespace loopbench::driver {

/// How far an open loop kept up, counted after the first quarter of a slice: there the first
/// answers are still on their way, and nothing is on its way from before.
struct OpenLoopReport {
    std::uint64_t offered = 0;   ///< messages scheduled from there to the end of the schedule
    std::uint64_t achieved = 0;  ///< answers that came in the same time
};

/// What a slice did.
struct SliceReport {
    std::uint64_t operations = 0;  ///< round trips; fan-in: messages
    std::uint64_t rounds = 0;      ///< split echo: messages on the connection that had the fewest
    std::uint64_t bytes = 0;       ///< one way
    std::chrono::nanoseconds elapsed{0};  ///< from the first send to the last answer
    std::optional<OpenLoopReport> open_loop;
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

/// Where an open-loop slice records.
struct OpenLoopHistograms {
    Histogram& latency;   ///< from a message's scheduled time until its last byte was back
    Histogram& send_lag;  ///< from its scheduled time until it was handed to its socket
};

/// How many messages a slice has at the parameters' rate: those of all rounds, or as many as reach
/// both minima.
std::size_t messages_of(const SliceOrder& order, const CaseParameters& parameters);

/// Echo by schedule: an open loop, in which a server that is slow is not spared the messages that
/// are due meanwhile, and their waiting counts. Latency runs from the scheduled time (wrk2's rule
/// against coordinated omission). Several messages that are due leave in one go; until the next is
/// due the driver sleeps. The slice lasts as long as the schedule, or until the last answer.
SliceReport run_echo_open(ConnectionSet& connections, const Schedule& schedule,
                          const SliceOrder& order, OpenLoopHistograms histograms);

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
