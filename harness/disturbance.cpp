#include "harness/disturbance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <utility>

namespace loopbench {
namespace {

/// A share of the slice that others may use without harm to it, and an amount besides. In 600
/// slices of 5 ms on a quiet machine, others used 0.014 ms at most, and 0.32 ms where the harness,
/// which wakes the arm up and reads the counters, was on the same processor; whereas another
/// program takes turns of 2 to 4 ms, one of which is always seen.
constexpr double foreign_share = 0.05;
constexpr std::uint64_t foreign_floor_ns = 250'000;
constexpr double steal_share = 0.05;

std::uint64_t tick_ns() {
    static const std::uint64_t ns =
        1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    return ns;
}

/// The number at the given place (from 1) among the words of `text`; nothing when it has fewer.
std::optional<std::uint64_t> nth_number(std::string_view text, int place) {
    for (int word = 1;; ++word) {
        const std::size_t start = text.find_first_not_of(" \n");
        if (start == std::string_view::npos) return std::nullopt;
        text.remove_prefix(start);
        if (word == place) break;
        text.remove_prefix(std::min(text.find_first_of(" \n"), text.size()));
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    return number;
}

/// What follows `head` in the line that begins with it.
std::optional<std::string_view> line_of(std::string_view text, std::string_view head) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (line.starts_with(head)) return line.substr(head.size());
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number_in_line(std::string_view text, std::string_view head,
                                            int place) {
    const auto line = line_of(text, head);
    return line ? nth_number(*line, place) : std::nullopt;
}

std::uint64_t gained(std::uint64_t before, std::uint64_t after) {
    return after > before ? after - before : 0;
}

/// By how much a counter certainly grew, where it is known.
std::uint64_t gained(const std::optional<std::uint64_t>& before,
                     const std::optional<std::uint64_t>& after) {
    return before && after ? gained(*before, *after) : 0;
}

double ms(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

}  // namespace

std::optional<std::uint64_t> parse_schedstat(std::string_view text, int cpu) {
    // "7) sum of all time spent running by tasks on this processor (in nanoseconds)":
    // Documentation/scheduler/sched-stats.rst, the same in versions 15 to 17.
    return number_in_line(text, fmt::format("cpu{} ", cpu), 7);
}

std::optional<std::uint64_t> parse_usage_percpu(std::string_view text, int cpu) {
    return nth_number(text, cpu + 1);
}

std::optional<std::uint64_t> parse_steal(std::string_view text, int cpu) {
    // proc(5): user nice system idle iowait irq softirq steal
    return number_in_line(text, fmt::format("cpu{} ", cpu), 8);
}

std::optional<std::uint64_t> parse_throttled(std::string_view text) {
    return number_in_line(text, "nr_throttled ", 1);
}

KernelFile::KernelFile(const std::filesystem::path& path)
    : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)), buffer_(4096, '\0') {}

std::string_view KernelFile::read() {
    std::size_t filled = 0;
    while (true) {
        const ssize_t got = pread(fd_.get(), buffer_.data() + filled, buffer_.size() - filled,
                                  static_cast<off_t>(filled));
        if (got <= 0) return {buffer_.data(), got < 0 ? 0 : filled};
        filled += static_cast<std::size_t>(got);
        // It grows at the first reading, and then is large enough.
        if (filled == buffer_.size()) buffer_.resize(2 * buffer_.size());
    }
}

DisturbanceReader::DisturbanceReader(int cpu, const SystemFiles& files)
    : cpu_(cpu), stat_(files.locate("/proc/stat")) {
    find_use(files);
    find_softirq_daemon(files);
    if (const auto path = files.control_group_file("cpu", "cpu.stat")) {
        throttling_ = KernelFile(files.locate(*path));
    }
}

/// The control group's account of the root is the better source: it holds the same time as a
/// process's clock. What /proc/schedstat counts also has the interrupts in it that a kernel with
/// IRQ time accounting leaves out of the clock, those of the arm's own network traffic too.
void DisturbanceReader::find_use(const SystemFiles& files) {
    for (const char* path : {"/sys/fs/cgroup/cpuacct/cpuacct.usage_percpu",
                             "/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage_percpu"}) {
        usage_ = KernelFile(files.locate(path));
        if (usage_) return;
    }
    schedstat_ = KernelFile(files.locate("/proc/schedstat"));
    if (!schedstat_) {
        unknown_ =
            "which time other programs use during a slice is not known: this kernel has no "
            "/proc/schedstat";
    } else if (files.kernel_option("CONFIG_IRQ_TIME_ACCOUNTING").value_or(true)) {
        blur_ns_ = tick_ns();
    }
}

void DisturbanceReader::find_softirq_daemon(const SystemFiles& files) {
    const std::string wanted = fmt::format("ksoftirqd/{}", cpu_);
    for (const std::string& name : files.names_in("/proc")) {
        if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
        if (files.text(fmt::format("/proc/{}/comm", name)) != wanted) continue;
        softirq_daemon_ = KernelFile(files.locate(fmt::format("/proc/{}/schedstat", name)));
        return;
    }
}

Disturbance DisturbanceReader::read() {
    Disturbance now;
    if (usage_) {
        now.ran_ns = parse_usage_percpu(usage_.read(), cpu_);
    } else if (schedstat_) {
        now.ran_ns = parse_schedstat(schedstat_.read(), cpu_);
    }
    now.blur_ns = blur_ns_;
    if (softirq_daemon_) now.softirq_daemon_ns = nth_number(softirq_daemon_.read(), 1).value_or(0);
    if (stat_) now.steal_ticks = parse_steal(stat_.read(), cpu_);
    if (throttling_) now.throttled_times = parse_throttled(throttling_.read());
    return now;
}

std::string cause(const Disturbance& before, const Disturbance& after, std::uint64_t own_cpu_ns,
                  std::uint64_t elapsed_ns) {
    const auto elapsed = static_cast<double>(elapsed_ns);
    if (gained(before.throttled_times, after.throttled_times) > 0) {
        return "the control group was throttled: its quota of processor time was used up";
    }
    // A tick is counted when it is full, so the first may have begun long before the slice: in
    // slices of 5 ms with one tick, the time that was lost was anything from 0.02 to 4 ms.
    const std::uint64_t ticks = gained(before.steal_ticks, after.steal_ticks);
    const std::uint64_t stolen_ns = ticks > 0 ? (ticks - 1) * tick_ns() : 0;
    if (static_cast<double>(stolen_ns) > steal_share * elapsed) {
        return fmt::format(
            "the hypervisor took the processor away for {:.0f} ms or more in {:.3g} ms",
            ms(stolen_ns), ms(elapsed_ns));
    }
    const std::uint64_t known_ns =
        own_cpu_ns + after.blur_ns + gained(before.softirq_daemon_ns, after.softirq_daemon_ns);
    const std::uint64_t foreign_ns = gained(known_ns, gained(before.ran_ns, after.ran_ns));
    if (static_cast<double>(foreign_ns) > foreign_floor_ns + foreign_share * elapsed) {
        return fmt::format("other programs used the processor for {:.2g} ms in {:.3g} ms",
                           ms(foreign_ns), ms(elapsed_ns));
    }
    return "";
}

PairDisturbanceReader::PairDisturbanceReader(int sut_cpu, std::optional<int> driver_cpu,
                                             const SystemFiles& files)
    : sut_(sut_cpu, files) {
    if (driver_cpu) driver_.emplace(*driver_cpu, files);
}

PairDisturbance PairDisturbanceReader::read() {
    PairDisturbance now;
    now.sut = sut_.read();
    if (driver_) now.driver = driver_->read();
    return now;
}

std::string cause(const PairDisturbance& before, const PairDisturbance& after, const OwnUse& own,
                  std::uint64_t elapsed_ns) {
    if (!before.driver || !after.driver) {
        return cause(before.sut, after.sut, own.sut_ns + own.driver_ns + own.harness_ns,
                     elapsed_ns);
    }
    std::string why = cause(before.sut, after.sut, own.sut_ns + own.harness_ns, elapsed_ns);
    if (!why.empty()) return why;
    why = cause(*before.driver, *after.driver, own.driver_ns + own.harness_ns, elapsed_ns);
    return why.empty() ? why : "on the driver's processor, " + why;
}

}  // namespace loopbench
