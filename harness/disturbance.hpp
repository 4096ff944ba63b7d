#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "harness/fd.hpp"
#include "harness/system_files.hpp"

namespace loopbench {

/// What the kernel has counted of the use of one processor, and against our control group, so far.
/// Two of them, before and after a slice, tell what disturbed it from outside.
struct Disturbance {
    /// By everything that ran there; nothing where the kernel does not tell by processor.
    std::optional<std::uint64_t> ran_ns;
    /// How much of `ran_ns` may be no program's: interrupts, where they cannot be told apart.
    std::uint64_t blur_ns = 0;
    /// By ksoftirqd, which does the network's work of the arm: nothing foreign.
    std::uint64_t softirq_daemon_ns = 0;
    /// The hypervisor ran something else, in ticks that the kernel fills up before it counts them.
    std::optional<std::uint64_t> steal_ticks;
    std::optional<std::uint64_t> throttled_times;  ///< of our control group; nothing: no quota
};

/// The time in which tasks ran on `cpu`, by the text of /proc/schedstat.
std::optional<std::uint64_t> parse_schedstat(std::string_view text, int cpu);
/// Likewise by the text of cpuacct.usage_percpu.
std::optional<std::uint64_t> parse_usage_percpu(std::string_view text, int cpu);
/// The ticks stolen from `cpu`, by the text of /proc/stat.
std::optional<std::uint64_t> parse_steal(std::string_view text, int cpu);
/// How often a control group was throttled, by the text of its cpu.stat of either version.
std::optional<std::uint64_t> parse_throttled(std::string_view text);

/// Reads a file of the kernel again and again without opening it anew.
class KernelFile {
  public:
    KernelFile() = default;
    explicit KernelFile(const std::filesystem::path& path);

    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    /// The text now, valid until the next call; empty when it cannot be read.
    std::string_view read();

  private:
    OwnedFd fd_;
    std::string buffer_;
};

/// Reads what disturbs one processor: about 2 µs, and 20 to 50 µs for /proc/stat. Not for two
/// threads at once.
class DisturbanceReader {
  public:
    explicit DisturbanceReader(int cpu, const SystemFiles& files = SystemFiles());

    Disturbance read();

    /// What cannot be known on this machine, in words; empty when all can.
    const std::string& unknown() const noexcept { return unknown_; }

  private:
    void find_use(const SystemFiles& files);
    void find_softirq_daemon(const SystemFiles& files);

    int cpu_;
    KernelFile usage_;      ///< cpuacct.usage_percpu
    KernelFile schedstat_;  ///< instead of it
    KernelFile softirq_daemon_;
    KernelFile stat_;
    KernelFile throttling_;
    std::uint64_t blur_ns_ = 0;
    std::string unknown_;
};

/// Why a slice that ran between two readings does not count, or empty. `own_cpu_ns` is what the
/// arm's own processes used on this processor meanwhile, all of them; `elapsed_ns` how long it
/// took. Nothing that an arm does itself makes its slice invalid.
std::string cause(const Disturbance& before, const Disturbance& after, std::uint64_t own_cpu_ns,
                  std::uint64_t elapsed_ns);

/// Readings of the SUT's processor and, in split placement, of the driver's.
struct PairDisturbance {
    Disturbance sut;
    std::optional<Disturbance> driver;
};

class PairDisturbanceReader {
  public:
    /// `driver_cpu` is nothing where SUT and driver share a processor, or there is no driver.
    PairDisturbanceReader(int sut_cpu, std::optional<int> driver_cpu,
                          const SystemFiles& files = SystemFiles());

    PairDisturbance read();
    const std::string& unknown() const noexcept { return sut_.unknown(); }

  private:
    DisturbanceReader sut_;
    std::optional<DisturbanceReader> driver_;
};

/// CPU time of our own during a slice.
struct OwnUse {
    std::uint64_t sut_ns = 0;
    std::uint64_t driver_ns = 0;   ///< 0 where there is none
    std::uint64_t harness_ns = 0;  ///< of this process, wherever it ran
};

/// Like `cause` of one processor, for both.
std::string cause(const PairDisturbance& before, const PairDisturbance& after, const OwnUse& own,
                  std::uint64_t elapsed_ns);

}  // namespace loopbench
