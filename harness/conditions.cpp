#include "harness/conditions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <sstream>
#include <thread>

namespace loopbench {
namespace {

using nlohmann::json;

bool contains(const std::vector<int>& list, int number) {
    return std::find(list.begin(), list.end(), number) != list.end();
}

/// The processors' time by /proc/stat (proc(5)), in ticks.
struct ProcessorTime {
    double all = 0;
    double idle = 0;
    int processors = 0;
};

ProcessorTime processor_time(std::string_view text) {
    std::istringstream stat{std::string(text)};
    std::string name;
    stat >> name;
    ProcessorTime time;
    double ticks = 0;
    // user nice system idle iowait irq softirq steal; the two that follow are part of the first two
    for (int field = 0; field < 8 && stat >> ticks; ++field) {
        time.all += ticks;
        if (field == 3 || field == 4) time.idle += ticks;
    }
    for (std::string line; std::getline(stat, line);) time.processors += line.starts_with("cpu");
    return time;
}

}  // namespace

std::vector<int> parse_processor_list(std::string_view text) {
    std::vector<int> list;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        int first = 0;
        auto parsed = std::from_chars(at, end, first);
        if (parsed.ec != std::errc()) break;
        int last = first;
        if (parsed.ptr < end && *parsed.ptr == '-') {
            parsed = std::from_chars(parsed.ptr + 1, end, last);
            if (parsed.ec != std::errc()) break;
        }
        for (int number = first; number <= last; ++number) list.push_back(number);
        at = parsed.ptr + 1;
    }
    return list;
}

std::optional<double> busy_processors(std::string_view before, std::string_view after) {
    const ProcessorTime start = processor_time(before);
    const ProcessorTime now = processor_time(after);
    const double all = now.all - start.all;
    if (all <= 0) return std::nullopt;
    return (1 - (now.idle - start.idle) / all) * now.processors;
}

std::optional<double> processor_quota(const SystemFiles& files) {
    double quota = 0;
    double period = 0;
    if (const auto path = files.control_group_file("cpu", "cpu.max")) {
        std::istringstream words(files.text(*path).value_or(""));
        if (!(words >> quota >> period)) return std::nullopt;  // "max 100000"
    } else if (const auto quota_path = files.control_group_file("cpu", "cpu.cfs_quota_us")) {
        const auto period_path = files.control_group_file("cpu", "cpu.cfs_period_us");
        quota = static_cast<double>(files.number(*quota_path).value_or(-1));
        period = period_path ? static_cast<double>(files.number(*period_path).value_or(0)) : 0;
    }
    if (quota <= 0 || period <= 0) return std::nullopt;
    return quota / period;
}

Finding check_processors(const Processors& processors, std::size_t allowed) {
    Finding finding = finding_of("one_processor", "processors allowed");
    finding.value = allowed;
    if (processors.driver) {
        finding.shown =
            fmt::format("{}; SUT on {}, driver on {}", allowed, processors.sut, *processors.driver);
        return finding;
    }
    finding.shown = fmt::format("{}; SUT and driver on {}", allowed, processors.sut);
    return std::move(finding).but(Grade::note,
                                  "there is one processor to use: lockstep placement only",
                                  "give two with --cpus=SUT,DRIVER for throughput and latency");
}

Finding check_siblings(const SystemFiles& files, const Processors& processors) {
    Finding finding = finding_of("smt_siblings", "SUT and driver on one core");
    const auto list = files.text(
        fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", processors.sut));
    if (!list || !processors.driver) {
        if (!processors.driver) finding.shown = "one processor";
        return finding;
    }
    const bool shared = contains(parse_processor_list(*list), *processors.driver);
    finding.found(shared, shared ? fmt::format("yes: {}", *list) : "no");
    if (!shared) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("processors {} and {} are two threads of one core: in split placement the "
                    "driver slows the SUT down",
                    processors.sut, *processors.driver),
        "give threads of two cores with --cpus=SUT,DRIVER (lscpu -e shows them)");
}

Finding check_isolation(const SystemFiles& files, const Processors& processors) {
    const std::string isolated = files.text("/sys/devices/system/cpu/isolated").value_or("");
    Finding finding = finding_of("isolated_processors", "isolated processors");
    finding.shown = "none";
    if (!isolated.empty()) finding.found(isolated, isolated);
    const std::vector<int> list = parse_processor_list(isolated);
    if (list.empty() || contains(list, processors.sut)) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("processors {} are kept free from other programs, but the SUT would run on {}",
                    isolated, processors.sut),
        list.size() > 1 ? fmt::format("--cpus={},{}", list[0], list[1])
                        : fmt::format("--cpus={}", list[0]));
}

Finding check_governor(const SystemFiles& files, const Processors& processors) {
    const auto governor = files.text(
        fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", processors.sut));
    Finding finding = finding_of("governor", "frequency governor");
    finding.shown = "none";
    if (!governor) return finding;
    finding.found(*governor, *governor);
    if (*governor == "performance") return finding;
    return std::move(finding).but(Grade::note,
                                  fmt::format("the frequency governor is '{}'", *governor),
                                  "cpupower frequency-set -g performance");
}

Finding check_boost(const SystemFiles& files) {
    Finding finding = finding_of("boost", "frequency boost");
    const char* const pstate = "/sys/devices/system/cpu/intel_pstate/no_turbo";
    const char* const boost = "/sys/devices/system/cpu/cpufreq/boost";
    const auto no_turbo = files.number(pstate);
    const auto boosted = files.number(boost);
    if (!no_turbo && !boosted) return finding;
    const bool on = no_turbo ? *no_turbo == 0 : *boosted != 0;
    finding.found(on, on ? "on" : "off");
    if (!on) return finding;
    return std::move(finding).but(
        Grade::note, "the processor's speed depends on its temperature and on its neighbours",
        no_turbo ? fmt::format("echo 1 > {}", pstate) : fmt::format("echo 0 > {}", boost));
}

Finding check_virtual_machine(const SystemFiles& files) {
    Finding finding = finding_of("virtual_machine", "virtual machine");
    const auto flags = files.field("/proc/cpuinfo", "flags");
    if (!flags) return finding;
    const bool guest = fmt::format(" {} ", *flags).find(" hypervisor ") != std::string::npos;
    finding.found(guest, guest ? "yes" : "no");
    if (!guest) return finding;
    return std::move(finding).but(
        Grade::note,
        "neighbours that this machine cannot see change its speed: absolute figures hold for the "
        "moment, ratios within one measurement are worth more",
        "measure with --reference=ARM, or on hardware of its own");
}

Finding check_quota(const SystemFiles& files) {
    Finding finding = finding_of("cpu_quota", "quota of the control group");
    finding.shown = "none";
    const auto quota = processor_quota(files);
    if (!quota) return finding;
    finding.found(*quota, fmt::format("{:.3g} processors", *quota));
    if (*quota >= 2) return finding;
    return std::move(finding).but(
        *quota < 1 ? Grade::unfit : Grade::note,
        fmt::format("the control group may use {:.3g} processors: it is stopped when it used them "
                    "up, in mid-slice",
                    *quota),
        "give the control group two processors (docker run --cpus=2; systemctl set-property "
        "UNIT CPUQuota=)");
}

Finding check_clock_source(const SystemFiles& files) {
    Finding finding = finding_of("clock_source", "clock source");
    const char* const path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    const auto source = files.text(path);
    if (!source) return finding;
    finding.found(*source, *source);
    // Those that are read without a system call.
    for (const char* cheap :
         {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"}) {
        if (*source == cheap) return finding;
    }
    return std::move(finding).but(
        Grade::note,
        fmt::format("the clock source '{}' takes a system call to read: loops that look at the "
                    "clock often look dearer",
                    *source),
        fmt::format("echo tsc > {}", path));
}

Finding check_irq_accounting(const SystemFiles& files) {
    Finding finding = finding_of("irq_time_accounting", "IRQ time accounting");
    const auto accounted = files.kernel_option("CONFIG_IRQ_TIME_ACCOUNTING");
    if (!accounted) return finding;
    finding.found(*accounted, *accounted ? "on" : "off");
    if (*accounted) return finding;
    return std::move(finding).but(
        Grade::note,
        "the kernel's work for loopback TCP is charged to whoever sends: to the driver for what "
        "the SUT receives, and the other way round",
        "--transport=unix, or a kernel with CONFIG_IRQ_TIME_ACCOUNTING");
}

Finding check_hugepages(const SystemFiles& files) {
    Finding finding = finding_of("hugepages", "transparent huge pages");
    const char* const path = "/sys/kernel/mm/transparent_hugepage/enabled";
    const auto text = files.text(path);
    if (!text) return finding;
    const std::size_t open = text->find('[');
    const std::size_t close = text->find(']');
    if (open == std::string::npos || close == std::string::npos) return finding;
    const std::string mode = text->substr(open + 1, close - open - 1);
    finding.found(mode, mode);
    if (mode != "always") return finding;
    return std::move(finding).but(
        Grade::note, "memory figures move by 2 MiB with how the heap happens to be aligned",
        fmt::format("echo madvise > {}", path));
}

Finding check_address_layout(const SystemFiles& files) {
    Finding finding = finding_of("aslr", "random address layout");
    const auto mode = files.number("/proc/sys/kernel/randomize_va_space");
    if (!mode) return finding;
    finding.found(*mode, *mode == 0 ? "off" : "on");
    if (*mode != 0) return finding;
    return std::move(finding).but(
        Grade::note,
        "every fresh process gets the same layout: what that layout alone costs or saves does not "
        "average out over the blocks",
        "sysctl -w kernel.randomize_va_space=2");
}

Finding check_swap(const SystemFiles& files) {
    Finding finding = finding_of("swap_in_use", "swap in use");
    finding.found(0, "none");
    const auto kib = [&](const char* name) {
        const auto text = files.field("/proc/meminfo", name);
        return text ? std::strtoll(text->c_str(), nullptr, 10) : 0;
    };
    const long long used = kib("SwapTotal") - kib("SwapFree");
    if (used <= 0) return finding;
    finding.found(used * 1024, fmt::format("{:.3g} MiB", static_cast<double>(used) / 1024));
    return std::move(finding).but(Grade::note, "memory is short: pages come back from swap at will",
                                  "swapoff -a, with memory to spare");
}

Finding check_other_load(const SystemFiles& files) {
    const std::string before = files.text("/proc/stat").value_or("");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const double load = busy_processors(before, files.text("/proc/stat").value_or("")).value_or(0);
    Finding finding = finding_of("other_load", "other programs");
    finding.found(load, fmt::format("{:.1f} processors", load));
    constexpr double much = 0.2;
    if (load <= much) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("before the start, other programs kept {:.1f} processors busy", load),
        "stop them (top shows them): split placement and latency suffer most");
}

std::vector<Finding> check_before_measuring(const SystemFiles& files, const Processors& processors,
                                            bool sockets) {
    std::vector<Finding> findings;
    if (sockets) {
        findings.push_back(check_processors(processors, allowed_processors().size()));
        findings.push_back(check_siblings(files, processors));
    }
    findings.push_back(check_isolation(files, processors));
    findings.push_back(check_governor(files, processors));
    findings.push_back(check_quota(files));
    findings.push_back(check_clock_source(files));
    findings.push_back(check_address_layout(files));
    findings.push_back(check_swap(files));
    findings.push_back(check_other_load(files));
    return findings;
}

}  // namespace loopbench
