#include "harness/facilities.hpp"

#include <fmt/format.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/descriptor_limit.hpp"
#include "harness/fd.hpp"
#include "harness/hardware_counter.hpp"
#include "harness/syscall_counter.hpp"

namespace loopbench {
namespace {

std::string format_bytes(rlim_t bytes) {
    if (bytes == RLIM_INFINITY) return "unlimited";
    return fmt::format("{} KiB", bytes / 1024);
}

}  // namespace

Finding check_descriptor_limit(const SystemFiles& files, const rlimit& limit, bool root) {
    constexpr rlim_t needed = 10'000 + descriptors_beside_connections;
    rlim_t most = limit.rlim_max;
    if (root) {
        const auto by_kernel = files.number("/proc/sys/fs/nr_open");
        most = std::max(most, static_cast<rlim_t>(by_kernel.value_or(0)));
    }
    Finding finding = finding_of("descriptor_limit", "open descriptors");
    finding.shown = "unlimited";
    if (most != RLIM_INFINITY) finding.found(most, fmt::format("up to {}", most));
    if (most >= needed) return finding;
    return std::move(finding).but(
        Grade::note, fmt::format("10,000 connections need {} descriptors in one process", needed),
        fmt::format("ulimit -n {}, as root (in a service: LimitNOFILE={})", needed, needed));
}

Finding check_listen_queue(const SystemFiles& files) {
    constexpr long long backlog = 4096;  // the default of --backlog
    Finding finding = finding_of("somaxconn", "queue of a listening socket");
    const auto most = files.number("/proc/sys/net/core/somaxconn");
    if (!most) return finding;
    finding.found(*most, fmt::format("{} connections", *most));
    if (*most >= backlog) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("the kernel cuts --backlog to {}: many connections at once are refused", *most),
        fmt::format("sysctl -w net.core.somaxconn={}", backlog));
}

int try_io_uring() {
    io_uring_params parameters{};
    const OwnedFd ring(static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters)));
    return ring ? 0 : errno;
}

Finding check_io_uring(const SystemFiles& files, int error) {
    Finding finding = finding_of("io_uring", "io_uring");
    finding.found(error == 0, error == 0 ? "works" : std::strerror(error));
    if (error == 0) return finding;
    const long long disabled = files.number("/proc/sys/kernel/io_uring_disabled").value_or(0);
    std::string remedy = "take Linux 6.0 or later with CONFIG_IO_URING";
    if (disabled != 0) {
        remedy = "sysctl -w kernel.io_uring_disabled=0";
    } else if (error == EPERM || error == EACCES) {
        remedy =
            "a seccomp filter forbids it (Docker: docker run --security-opt seccomp=unconfined)";
    } else if (error == ENOMEM) {
        remedy = "ulimit -l unlimited";
    }
    return std::move(finding).but(Grade::note, "loops over io_uring cannot work here", remedy);
}

Finding check_locked_memory(const rlimit& limit, bool root) {
    constexpr rlim_t enough = 1 << 20;
    Finding finding = finding_of("locked_memory", "locked memory");
    if (limit.rlim_cur != RLIM_INFINITY)
        finding.found(limit.rlim_cur, root ? "root: no limit" : format_bytes(limit.rlim_cur));
    if (root || limit.rlim_cur >= enough) return finding;
    return std::move(finding).but(
        Grade::note, "large rings of io_uring need more (kernels before 5.12: every ring)",
        "ulimit -l 8192");
}

Finding check_perf_paranoid(const SystemFiles& files, bool root) {
    Finding finding = finding_of("perf_event_paranoid", "perf_event_paranoid");
    const auto level = files.number("/proc/sys/kernel/perf_event_paranoid");
    if (!level) return finding;
    finding.found(*level, fmt::format("{}{}", *level, root ? ", but we are root" : ""));
    if (root || *level < 0) return finding;
    return std::move(finding).but(
        Grade::note,
        *level > 1 ? "neither tracepoints nor the kernel's instructions may be counted"
                   : "tracepoints may not be counted",
        "sysctl -w kernel.perf_event_paranoid=-1, or run as root");
}

Finding check_syscall_counting() {
    Finding finding = finding_of("syscall_counting", "counting system calls");
    const SyscallCounter counter(getpid());
    finding.found(counter.reason().empty(), counter.reason().empty() ? "works" : "impossible");
    if (counter.reason().empty()) return finding;
    finding.metric = "syscalls_per_op";
    return std::move(finding).but(Grade::voids, counter.reason(),
                                  "run as root, or sysctl -w kernel.perf_event_paranoid=-1 and "
                                  "mount -t tracefs none /sys/kernel/tracing");
}

Finding check_hardware_counters() {
    Finding finding = finding_of("hardware_counters", "hardware counters");
    const HardwareCounter counter(getpid());
    finding.found(counter.reason().empty(), counter.reason().empty() ? "work" : "none");
    if (counter.reason().empty()) return finding;
    return std::move(finding).but(
        Grade::note,
        fmt::format("no instructions_per_op and no cycles_per_op: {}", counter.reason()),
        "give the guest a PMU, or measure on hardware of its own");
}

}  // namespace loopbench
