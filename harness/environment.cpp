#include "harness/environment.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/conditions.hpp"
#include "harness/placement.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

json text_of(const SystemFiles& files, std::string_view path) {
    const auto text = files.text(path);
    return text ? json(*text) : json();
}

json field_of(const SystemFiles& files, std::string_view path, std::string_view name) {
    const auto value = files.field(path, name);
    return value ? json(*value) : json();
}

/// What the kernel does about each weakness of the processor, by the weakness's name.
json mitigations(const SystemFiles& files) {
    const std::string directory = "/sys/devices/system/cpu/vulnerabilities";
    json found;
    for (const std::string& name : files.names_in(directory)) {
        found[name] = text_of(files, fmt::format("{}/{}", directory, name));
    }
    return found;
}

/// A limit of the control group, in a file of version 2 or, with the numbers in a row, in files of
/// version 1; null when there is none.
json group_limit(const SystemFiles& files, std::string_view controller, std::string_view file,
                 const std::vector<std::string>& old_files) {
    if (const auto path = files.control_group_file(controller, file)) return text_of(files, *path);
    std::string limits;
    for (const std::string& old : old_files) {
        const auto path = files.control_group_file(controller, old);
        if (!path) return nullptr;
        limits += (limits.empty() ? "" : " ") + files.text(*path).value_or("");
    }
    return limits;
}

}  // namespace

json read_environment(const SystemFiles& files) {
    utsname kernel{};
    uname(&kernel);
    json environment;
    environment["kernel"] = fmt::format("{} {}", kernel.sysname, kernel.release);
    environment["kernel_build"] = kernel.version;
    environment["architecture"] = kernel.machine;
    environment["cpu_model"] = field_of(files, "/proc/cpuinfo", "model name");
    environment["cpu_mhz"] = field_of(files, "/proc/cpuinfo", "cpu MHz");
    environment["cpus"] = sysconf(_SC_NPROCESSORS_ONLN);
    environment["cpus_allowed"] = allowed_processors();
    environment["governor"] =
        text_of(files, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    environment["boost"] = check_boost(files).value;
    environment["virtual_machine"] = check_virtual_machine(files).value;
    environment["clock_source"] =
        text_of(files, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    environment["smt"] = text_of(files, "/sys/devices/system/cpu/smt/control");
    environment["mitigations"] = mitigations(files);
    environment["memory"] = field_of(files, "/proc/meminfo", "MemTotal");
    environment["swap"] = field_of(files, "/proc/meminfo", "SwapTotal");
    environment["transparent_hugepages"] = check_hugepages(files).value;
    environment["aslr"] = text_of(files, "/proc/sys/kernel/randomize_va_space");
    environment["irq_time_accounting"] = check_irq_accounting(files).value;
    environment["preemption_model"] = text_of(files, "/sys/kernel/debug/sched/preempt");
    environment["cgroup_cpu_max"] =
        group_limit(files, "cpu", "cpu.max", {"cpu.cfs_quota_us", "cpu.cfs_period_us"});
    environment["cgroup_memory_max"] =
        group_limit(files, "memory", "memory.max", {"memory.limit_in_bytes"});
    environment["somaxconn"] = text_of(files, "/proc/sys/net/core/somaxconn");
    environment["boot_id"] = text_of(files, "/proc/sys/kernel/random/boot_id");
    environment["load_before"] = text_of(files, "/proc/loadavg");
    return environment;
}

}  // namespace loopbench
