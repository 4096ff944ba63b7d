#include "harness/counters.hpp"

#include <fmt/format.h>
#include <time.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace loopbench {
namespace {

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The number after `field` ("VmHWM:") in the text of a status file.
std::optional<std::uint64_t> status_field(const std::string& text, std::string_view field) {
    const std::size_t found = text.find(field);
    if (found == std::string::npos) return std::nullopt;
    const std::size_t digits = text.find_first_of("0123456789", found + field.size());
    std::uint64_t number = 0;
    if (digits == std::string::npos) return std::nullopt;
    std::from_chars(text.data() + digits, text.data() + text.size(), number);
    return number;
}

void add(std::optional<std::uint64_t>& sum, std::optional<std::uint64_t> more) {
    if (more) sum = sum.value_or(0) + *more;
}

}  // namespace

CounterReader::CounterReader(pid_t pid) : pid_(pid), clock_{} {
    if (const int error = clock_getcpuclockid(pid, &clock_); error != 0) {
        throw std::system_error(error, std::generic_category(), "the process CPU clock");
    }
}

std::uint64_t CounterReader::cpu_ns() const {
    timespec time{};
    if (clock_gettime(clock_, &time) != 0) {
        throw std::system_error(errno, std::generic_category(), "the process CPU clock");
    }
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

bool CounterReader::asleep() const {
    std::error_code gone;
    const std::string tasks = fmt::format("/proc/{}/task", pid_);
    for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
        const std::string stat = read_text(task.path() / "stat");
        const std::size_t name_end = stat.rfind(')');  // the name may hold spaces and brackets
        if (name_end != std::string::npos && stat.compare(name_end, 3, ") R") == 0) return false;
    }
    return true;
}

ExternalCounters CounterReader::read() const {
    ExternalCounters counters;
    counters.cpu_ns = cpu_ns();
    std::error_code gone;
    const std::string tasks = fmt::format("/proc/{}/task", pid_);
    for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
        const std::string status = read_text(task.path() / "status");
        // "voluntary_…" is the end of "nonvoluntary_…" too, so the line break is part of the name.
        add(counters.voluntary_switches, status_field(status, "\nvoluntary_ctxt_switches:"));
        add(counters.involuntary_switches, status_field(status, "\nnonvoluntary_ctxt_switches:"));
        std::istringstream schedstat(read_text(task.path() / "schedstat"));
        std::uint64_t running_ns = 0;
        std::uint64_t waiting_ns = 0;
        if (schedstat >> running_ns >> waiting_ns) {
            add(counters.running_ns, running_ns);
            add(counters.waiting_ns, waiting_ns);
        }
    }
    return counters;
}

Memory read_memory(pid_t pid) {
    const std::string status = read_text(fmt::format("/proc/{}/status", pid));
    Memory memory;
    if (const auto kib = status_field(status, "VmHWM:")) memory.peak_rss_bytes = *kib * 1024;
    if (const auto kib = status_field(status, "VmRSS:")) memory.rss_bytes = *kib * 1024;
    return memory;
}

std::optional<Ticks> read_ticks(pid_t pid) {
    const std::string stat = read_text(fmt::format("/proc/{}/stat", pid));
    const std::size_t name_end = stat.rfind(')');  // the name may hold spaces and brackets
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(stat.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;  // proc(5): utime is field 14
    Ticks ticks;
    if (!(fields >> ticks.user >> ticks.system)) return std::nullopt;
    return ticks;
}

std::optional<pid_t> find_measured_process(pid_t pid, const char* prefix_word) {
    while (true) {
        std::istringstream children(read_text(fmt::format("/proc/{0}/task/{0}/children", pid)));
        pid_t child = 0;
        if (!(children >> child)) break;
        pid = child;
    }
    // Arguments are separated by zero bytes: as a C string, the text is the first of them.
    const std::string command = read_text(fmt::format("/proc/{}/cmdline", pid));
    if (std::strcmp(command.c_str(), prefix_word) == 0) return std::nullopt;
    return pid;
}

}  // namespace loopbench
