#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/disturbance.hpp"
#include "harness/finding.hpp"

namespace loopbench {

/// Interrupts of devices on one processor, by their number.
using Interrupts = std::map<int, std::uint64_t>;

/// What happened to a thread that kept one processor busy.
struct BusyStretch {
    int cpu = 0;
    std::uint64_t elapsed_ns = 0;
    std::uint64_t cpu_ns = 0;      ///< of it, what the thread got
    std::vector<double> piece_ns;  ///< processor time of one fixed piece of work, again and again
    Disturbance before;
    Disturbance after;
    std::string unknown;  ///< what of these is not known, in words
    Interrupts interrupts;
};

/// Keeps `cpu` busy with a thread of its own, for about `time`.
BusyStretch keep_busy(int cpu, std::chrono::nanoseconds time, const SystemFiles& files);

/// How much the speed varies: standard deviations of logarithms.
struct Spread {
    double single = 0;  ///< of the time that the same work takes
    double paired = 0;  ///< of the ratio of two neighbours
};

/// Of stretches of `length_ns` of work; nothing when there are fewer than eight of them.
std::optional<Spread> spread_of(const std::vector<double>& piece_ns, double length_ns);

/// By the text of /proc/interrupts, without those of the processor itself (timer, rescheduling).
Interrupts parse_interrupts(std::string_view text, int cpu);

Finding check_delivered(const BusyStretch& stretch);
Finding check_steal(const BusyStretch& stretch);
Finding check_foreign_use(const BusyStretch& stretch);
Finding check_throttling(const BusyStretch& stretch);
Finding check_interrupts(const BusyStretch& stretch);
Finding check_drift(const BusyStretch& stretch);

/// What reading the clock costs.
Finding check_clock_cost();

}  // namespace loopbench
