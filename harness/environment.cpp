#include "harness/environment.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "harness/placement.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// The text of a file without white space at its end; null when it cannot be read or is empty.
json text_of(const std::string& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    text.erase(text.find_last_not_of(" \n\t") + 1);
    return text.empty() ? json() : json(text);
}

/// The value of the first line "NAME : VALUE" or "NAME: VALUE" of a file of /proc.
json field_of(const char* path, std::string_view name) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with(name) || colon == std::string::npos) continue;
        const std::size_t start = line.find_first_not_of(" \t", colon + 1);
        return start == std::string::npos ? json() : json(line.substr(start));
    }
    return nullptr;
}

/// What the kernel does about each weakness of the processor, by the weakness's name.
json mitigations() {
    json found = json::object();
    std::error_code missing;
    const std::filesystem::path directory("/sys/devices/system/cpu/vulnerabilities");
    for (const auto& entry : std::filesystem::directory_iterator(directory, missing)) {
        found[entry.path().filename().string()] = text_of(entry.path());
    }
    return found.empty() ? json() : found;
}

bool has_processor_flag(std::string_view flag) {
    const json flags = field_of("/proc/cpuinfo", "flags");
    return flags.is_string() &&
           (" " + flags.get<std::string>() + " ").find(fmt::format(" {} ", flag)) !=
               std::string::npos;
}

/// The directory of this process's control group (version 2).
std::string control_group() {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3);
    }
    return "/sys/fs/cgroup";
}

/// Whether an option is set in the kernel's configuration; null when the kernel does not show it.
json kernel_option(const std::string& option) {
    FILE* output = popen("zcat /proc/config.gz 2>/dev/null", "re");
    if (output == nullptr) return nullptr;
    char line[512];
    bool any = false;
    bool set = false;
    while (fgets(line, sizeof line, output) != nullptr) {
        any = true;
        set = set || std::string_view(line).starts_with(option + "=y");
    }
    pclose(output);
    return any ? json(set) : json();
}

}  // namespace

json read_environment() {
    utsname kernel{};
    uname(&kernel);
    const std::string group = control_group();
    json environment;
    environment["kernel"] = fmt::format("{} {}", kernel.sysname, kernel.release);
    environment["kernel_build"] = kernel.version;
    environment["architecture"] = kernel.machine;
    environment["cpu_model"] = field_of("/proc/cpuinfo", "model name");
    environment["cpu_mhz"] = field_of("/proc/cpuinfo", "cpu MHz");
    environment["cpus"] = sysconf(_SC_NPROCESSORS_ONLN);
    environment["cpus_allowed"] = allowed_processors();
    environment["governor"] = text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    environment["virtual_machine"] = has_processor_flag("hypervisor");
    environment["clock_source"] =
        text_of("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    environment["smt"] = text_of("/sys/devices/system/cpu/smt/control");
    environment["mitigations"] = mitigations();
    environment["memory"] = field_of("/proc/meminfo", "MemTotal");
    environment["swap"] = field_of("/proc/meminfo", "SwapTotal");
    environment["transparent_hugepages"] = text_of("/sys/kernel/mm/transparent_hugepage/enabled");
    environment["irq_time_accounting"] = kernel_option("CONFIG_IRQ_TIME_ACCOUNTING");
    environment["preemption_model"] = text_of("/sys/kernel/debug/sched/preempt");
    environment["cgroup_cpu_max"] = text_of(group + "/cpu.max");
    environment["cgroup_memory_max"] = text_of(group + "/memory.max");
    environment["somaxconn"] = text_of("/proc/sys/net/core/somaxconn");
    environment["boot_id"] = text_of("/proc/sys/kernel/random/boot_id");
    environment["load_before"] = text_of("/proc/loadavg");
    return environment;
}

}  // namespace loopbench
