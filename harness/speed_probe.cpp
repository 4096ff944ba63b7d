#include "harness/speed_probe.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <sstream>
#include <system_error>
#include <thread>

namespace loopbench {
namespace {

/// Short beside a slice, long beside reading the clock.
constexpr double piece_length_ns = 250'000;

std::uint64_t clock_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/// A fixed piece of work on integers and on memory that fills the second cache, about.
class Piece {
  public:
    Piece() : table_(std::size_t{1} << 16, 1) {}

    void work(std::uint64_t rounds) {
        std::uint64_t mixed = state_;
        for (std::uint64_t round = 0; round < rounds; ++round) {
            mixed ^= mixed << 13;
            mixed ^= mixed >> 7;
            mixed ^= mixed << 17;
            mixed += table_[mixed % table_.size()]++;
        }
        state_ = mixed;
    }

    /// How many rounds take about as long as a piece.
    std::uint64_t rounds_of_a_piece() {
        constexpr std::uint64_t trial = 10'000;
        double best_ns = piece_length_ns;
        for (int attempt = 0; attempt < 20; ++attempt) {
            const std::uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
            work(trial);
            const auto took = static_cast<double>(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start);
            best_ns = std::clamp(took, 1.0, best_ns);
        }
        return std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(trial * piece_length_ns / best_ns));
    }

  private:
    std::uint64_t state_ = 88172645463325252;
    std::vector<std::uint64_t> table_;
};

void pin_this_thread(int cpu) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(cpu) + 1);
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpu) + 1);
    CPU_ZERO_S(size, set);
    CPU_SET_S(static_cast<std::size_t>(cpu), size, set);
    const int error = pthread_setaffinity_np(pthread_self(), size, set);
    CPU_FREE(set);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(),
                                fmt::format("running on processor {}", cpu));
    }
}

/// What the busy thread does.
void work_until(BusyStretch& stretch, std::chrono::nanoseconds time) {
    Piece piece;
    const std::uint64_t rounds = piece.rounds_of_a_piece();
    const std::uint64_t start = clock_ns(CLOCK_MONOTONIC);
    const std::uint64_t cpu_start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    std::uint64_t cpu = cpu_start;
    while (stretch.elapsed_ns < static_cast<std::uint64_t>(time.count())) {
        piece.work(rounds);
        const std::uint64_t now = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        stretch.piece_ns.push_back(static_cast<double>(now - cpu));
        cpu = now;
        stretch.elapsed_ns = clock_ns(CLOCK_MONOTONIC) - start;
    }
    stretch.cpu_ns = cpu - cpu_start;
}

double deviation(const std::vector<double>& values) {
    const double count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / (count - 1));
}

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent(double share) {
    return fmt::format("{:.2g}%", share * 100);
}

}  // namespace

BusyStretch keep_busy(int cpu, std::chrono::nanoseconds time, const SystemFiles& files) {
    BusyStretch stretch;
    stretch.cpu = cpu;
    DisturbanceReader reader(cpu, files);
    stretch.unknown = reader.unknown();
    const auto interrupts = [&] {
        return parse_interrupts(files.text("/proc/interrupts").value_or(""), cpu);
    };
    const Interrupts earlier = interrupts();
    stretch.before = reader.read();
    std::exception_ptr failure;
    std::thread([&] {
        try {
            pin_this_thread(cpu);
            work_until(stretch, time);
        } catch (...) {
            failure = std::current_exception();
        }
    }).join();
    if (failure) std::rethrow_exception(failure);
    stretch.after = reader.read();
    for (const auto& [number, count] : interrupts()) {
        const auto before = earlier.find(number);
        stretch.interrupts[number] = count - (before == earlier.end() ? 0 : before->second);
    }
    return stretch;
}

std::optional<Spread> spread_of(const std::vector<double>& piece_ns, double length_ns) {
    if (piece_ns.empty()) return std::nullopt;
    std::vector<double> sorted = piece_ns;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const auto pieces = static_cast<std::size_t>(std::max(1.0, std::round(length_ns / *middle)));
    std::vector<double> logarithms;
    for (std::size_t start = 0; start + pieces <= piece_ns.size(); start += pieces) {
        const auto first = piece_ns.begin() + static_cast<std::ptrdiff_t>(start);
        logarithms.push_back(
            std::log(std::accumulate(first, first + static_cast<std::ptrdiff_t>(pieces), 0.0)));
    }
    if (logarithms.size() < 8) return std::nullopt;
    std::vector<double> ratios;
    for (std::size_t i = 0; i + 1 < logarithms.size(); i += 2) {
        ratios.push_back(logarithms[i + 1] - logarithms[i]);
    }
    return Spread{deviation(logarithms), deviation(ratios)};
}

Interrupts parse_interrupts(std::string_view text, int cpu) {
    std::istringstream lines{std::string(text)};
    std::string line;
    std::getline(lines, line);
    std::istringstream head(line);
    int column = -1;
    int place = 0;
    for (std::string name; head >> name; ++place) {
        if (name == fmt::format("CPU{}", cpu)) column = place;
    }
    Interrupts found;
    while (column >= 0 && std::getline(lines, line)) {
        std::istringstream words(line);
        std::string label;
        words >> label;
        int number = 0;
        const auto [end, error] =
            std::from_chars(label.data(), label.data() + label.size(), number);
        if (error != std::errc() || *end != ':') continue;
        std::uint64_t count = 0;
        for (int skipped = 0; skipped <= column && words >> count;) ++skipped;
        if (words) found[number] = count;
    }
    return found;
}

Finding check_delivered(const BusyStretch& stretch) {
    constexpr double hopeless = 0.9;
    constexpr double quiet = 0.99;
    Finding finding = finding_of("delivered_cpu", "delivered processor time");
    const double delivered = share(stretch.cpu_ns, stretch.elapsed_ns);
    finding.found(delivered, fmt::format("{:.1f}% of processor {}", delivered * 100, stretch.cpu));
    if (delivered >= quiet) return finding;
    return std::move(finding).but(
        delivered < hopeless ? Grade::unfit : Grade::note,
        fmt::format("a thread that wanted processor {} all the time got it for {:.1f}% of it",
                    stretch.cpu, delivered * 100),
        "stop other programs (top shows them), or take other processors with --cpus");
}

Finding check_steal(const BusyStretch& stretch) {
    constexpr double worth_telling = 0.01;
    constexpr double hopeless = 0.1;
    Finding finding = finding_of("steal", "taken by the hypervisor");
    if (!stretch.before.steal_ticks || !stretch.after.steal_ticks) return finding;
    const std::uint64_t ticks = *stretch.after.steal_ticks - *stretch.before.steal_ticks;
    const double stolen =
        share(ticks * 1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)),
              stretch.elapsed_ns);
    finding.found(stolen, percent(stolen));
    if (stolen <= worth_telling) return finding;
    return std::move(finding).but(
        stolen > hopeless ? Grade::unfit : Grade::note,
        fmt::format("the hypervisor ran others for {} of the time", percent(stolen)),
        "measure at another hour, or on a machine with processors of its own");
}

Finding check_foreign_use(const BusyStretch& stretch) {
    constexpr double worth_telling = 0.01;
    Finding finding = finding_of("foreign_use", "others on the SUT's processor");
    if (!stretch.before.ran_ns || !stretch.after.ran_ns) {
        return std::move(finding).but(Grade::note, stretch.unknown,
                                      "boot a kernel with CONFIG_SCHEDSTATS, or mount -t cgroup -o "
                                      "cpuacct none /sys/fs/cgroup/cpuacct");
    }
    const std::uint64_t ran = *stretch.after.ran_ns - *stretch.before.ran_ns;
    const double foreign =
        share(ran > stretch.cpu_ns ? ran - stretch.cpu_ns : 0, stretch.elapsed_ns);
    finding.found(foreign, percent(foreign));
    if (foreign <= worth_telling) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("other programs ran on processor {} for {} of the time", stretch.cpu,
                    percent(foreign)),
        fmt::format("stop them, or keep them away (taskset; isolcpus={})", stretch.cpu));
}

Finding check_throttling(const BusyStretch& stretch) {
    Finding finding = finding_of("throttling", "throttled by the control group");
    if (!stretch.before.throttled_times || !stretch.after.throttled_times) {
        finding.shown = "no quota";
        return finding;
    }
    const std::uint64_t times = *stretch.after.throttled_times - *stretch.before.throttled_times;
    finding.found(times, times == 0 ? "never" : fmt::format("{} times", times));
    if (times == 0) return finding;
    return std::move(finding).but(Grade::unfit,
                                  "one busy processor is more than the control group may use",
                                  "give it two processors (docker run --cpus=2; systemctl "
                                  "set-property UNIT CPUQuota=200%)");
}

Finding check_interrupts(const BusyStretch& stretch) {
    constexpr double many_per_second = 1000;
    Finding finding = finding_of("interrupts", "device interrupts");
    if (stretch.interrupts.empty()) return finding;
    std::uint64_t sum = 0;
    auto busiest = stretch.interrupts.begin();
    for (auto one = stretch.interrupts.begin(); one != stretch.interrupts.end(); ++one) {
        sum += one->second;
        if (one->second > busiest->second) busiest = one;
    }
    const double rate = share(sum, stretch.elapsed_ns) * 1e9;
    finding.found(rate, fmt::format("{:.0f}/s on processor {}", rate, stretch.cpu));
    if (rate <= many_per_second) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("devices interrupt processor {} {:.0f} times a second, most of all interrupt "
                    "{}",
                    stretch.cpu, rate, busiest->first),
        fmt::format("echo OTHER > /proc/irq/{}/smp_affinity_list", busiest->first));
}

Finding check_drift(const BusyStretch& stretch) {
    constexpr double much = 0.02;
    constexpr double short_ns = 5e6;
    constexpr double long_ns = 30e6;
    Finding finding = finding_of("speed_drift", "variation of the speed");
    const auto brief = spread_of(stretch.piece_ns, short_ns);
    const auto lengthy = spread_of(stretch.piece_ns, long_ns);
    if (!brief || !lengthy) return finding;
    finding.found(
        {{"slice_5ms", brief->single},
         {"paired_5ms", brief->paired},
         {"slice_30ms", lengthy->single},
         {"paired_30ms", lengthy->paired}},
        fmt::format("{} in 5 ms, {} in 30 ms", percent(brief->single), percent(lengthy->single)));
    if (std::max(brief->single, lengthy->single) <= much) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("this machine's speed varies by {} from one slice of 5 ms to the next ({} of "
                    "30 ms); what remains in the ratio of paired slices is {} ({})",
                    percent(brief->single), percent(lengthy->single), percent(brief->paired),
                    percent(lengthy->paired)),
        "compare within one measurement (--reference=ARM), never figures of two");
}

Finding check_clock_cost() {
    constexpr int readings = 100'000;
    constexpr double dear_ns = 100;
    Finding finding = finding_of("clock_cost", "reading the clock");
    const std::uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < readings; ++i) clock_ns(CLOCK_MONOTONIC);
    const double cost = static_cast<double>(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / readings;
    finding.found(cost, fmt::format("{:.0f} ns", cost));
    if (cost <= dear_ns) return finding;
    return std::move(finding).but(
        Grade::note, "loops that look at the clock often look dearer here than elsewhere",
        "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource");
}

}  // namespace loopbench
