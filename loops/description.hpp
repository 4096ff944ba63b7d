#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace loopbench {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;  ///< CLOCK_MONOTONIC

/// What a loop is told when it is made.
struct LoopOptions {
    std::size_t read_buffer = 64 * 1024;  ///< bytes lent to `data_received` at the most, at least 1
    unsigned poll_interval = 61;          ///< callbacks between two polls at the least, at least 1
    std::size_t high_water = 64 * 1024;   ///< queued bytes above which a push stream says pause
    std::function<TimePoint()> clock;     ///< replaces the clock where `controllable_clock` says so
    std::map<std::string, std::string> keys;  ///< arm keys (`+key=value`) that `describe` lists
};

/// Whether a loop can work here, found out by doing it. Without it, `reason` says what failed and
/// `remedy` what would help.
struct Availability {
    bool available = true;
    std::string reason;
    std::string remedy;
};

/// How an operation of the contract comes about.
enum class Support : std::uint8_t {
    native,    ///< the loop's or library's own operation, as its documentation uses it
    adapted,   ///< the library's own, with a correction on top to meet the contract
    emulated,  ///< not in the library: the adapter's code
};

/// An arm key that a loop takes, as in `uring+send=request`.
struct ArmKey {
    std::string key;
    std::vector<std::string> values;  ///< the first is the default
    std::string meaning;
};

/// What a loop says of itself: its name, what it is built on, and its fairness manifest.
struct LoopDescription {
    std::string name;
    std::string library;  ///< what it is built on: "loopbench", "libuv", "Boost.Asio"
    std::string version;  ///< of that library, as it reports itself at run time

    /// Operation of the contract ("post", "timer", "wakeup", "readiness", "push", "pull", "listen",
    /// "connect") and how it comes about.
    std::vector<std::pair<std::string, Support>> operations;

    /// Free text where an expert would ask, by topic: "write", "ring", "accept", …
    std::vector<std::pair<std::string, std::string>> notes;

    Duration timer_resolution{1};           ///< deadlines round up to it
    bool equal_deadlines_in_order = false;  ///< equal deadlines run in the order they were started
    bool settable_poll_interval = true;     ///< `LoopOptions::poll_interval` is honoured
    bool controllable_clock = false;        ///< `LoopOptions::clock` is honoured
    std::optional<std::size_t> descriptor_limit;  ///< descriptors must be below it (FD_SETSIZE)
    std::optional<std::size_t> turn_limit;        ///< descriptors that a turn serves at the most
    std::vector<ArmKey> keys;
};

/// What a loop has counted since it was made.
struct LoopCounters {
    std::uint64_t turns = 0;  ///< polls of the kernel
};

}  // namespace loopbench
