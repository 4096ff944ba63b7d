#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "harness/address.hpp"

namespace loopbench::driver {

enum class Workload : std::uint8_t { echo, fanin };
enum class Placement : std::uint8_t { lockstep, split };

/// What `connect` says.
struct CaseParameters {
    Workload workload = Workload::echo;
    std::string address_text;
    Address address;
    std::uint64_t seed = 0;

    std::uint32_t connections = 1;
    std::uint32_t active = 1;    ///< of these, that many send; the seed chooses which
    std::uint64_t size = 64;     ///< bytes of a message
    std::uint32_t pipeline = 1;  ///< messages (fan-in: rounds) under way in split placement
    std::uint64_t rate = 0;      ///< messages a second over all connections, by schedule (open
                                 ///< loop, split echo only); 0: closed loop
    std::uint64_t stream = 0;    ///< fan-in: bytes a sender and round, a multiple of size; 0: one
                                 ///< message
    bool no_delay = true;        ///< TCP_NODELAY
    int send_buffer = 0;         ///< SO_SNDBUF; 0 leaves the kernel's default
    int receive_buffer = 0;      ///< SO_RCVBUF likewise
    std::uint32_t backlog = 0;   ///< of the server's listener; 0: not known
};

/// What `slice` says. It ends after exactly `rounds` rounds, or when `rounds` is 0 as soon as both
/// minima are reached.
struct SliceOrder {
    Placement placement = Placement::lockstep;
    std::uint64_t rounds = 0;
    std::chrono::nanoseconds min_time{0};
    std::uint64_t min_operations = 0;  ///< per active connection
    std::chrono::nanoseconds stall{
        0};  ///< silence after which the server counts as stuck; at least 1 ms
};

/// Both throw DriverError, naming the member that is missing, of the wrong kind or out of range.
CaseParameters parse_connect(const nlohmann::json& request);
SliceOrder parse_slice(const nlohmann::json& request);

}  // namespace loopbench::driver
