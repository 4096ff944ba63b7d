#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace loopbench {

/// What the kernel has counted for a process, read from outside it.
struct ExternalCounters {
    std::uint64_t cpu_ns = 0;  ///< of all its threads, dead ones and io_uring workers included
    std::optional<std::uint64_t> voluntary_switches;    ///< of the threads that live
    std::optional<std::uint64_t> involuntary_switches;  ///< likewise
    std::optional<std::uint64_t> running_ns;  ///< by schedstat, of the threads that live: a check
    std::optional<std::uint64_t>
        waiting_ns;  ///< runnable without a processor (schedstat), likewise
};

/// Reads the counters of one process, again and again, cheaply.
class CounterReader {
  public:
    /// Throws std::system_error when `pid` has no process CPU clock.
    explicit CounterReader(pid_t pid);

    /// The counters now. Throws std::system_error when the process is gone.
    ExternalCounters read() const;

    /// The CPU clock alone: one system call.
    std::uint64_t cpu_ns() const;

    /// Whether none of its threads runs or waits for a processor.
    bool asleep() const;

  private:
    pid_t pid_;
    clockid_t clock_;
};

/// Memory of a process in bytes; nothing when /proc does not tell.
struct Memory {
    std::optional<std::uint64_t>
        peak_rss_bytes;                      ///< VmHWM: `ru_maxrss` survives exec, this does not
    std::optional<std::uint64_t> rss_bytes;  ///< VmRSS
};
Memory read_memory(pid_t pid);

/// User and system time of a process in clock ticks (1/100 s as a rule): sampled at each tick, so
/// only totals of a second or more mean anything.
struct Ticks {
    std::uint64_t user = 0;
    std::uint64_t system = 0;
};
std::optional<Ticks> read_ticks(pid_t pid);

/// The process that a prefix such as `ip netns exec a` ended up running: the one at the end of the
/// chain of only children that starts with `pid`. Nothing when that is still the prefix itself,
/// whose first word is `prefix_word`, as with `ssh host`: the work is done elsewhere.
std::optional<pid_t> find_measured_process(pid_t pid, const char* prefix_word);

}  // namespace loopbench
