#include "harness/syscall_counter.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <initializer_list>

namespace loopbench {
namespace {

constexpr const char* tracepoint = "events/raw_syscalls/sys_enter/id";

/// A mount of tracefs that no directory shows: nothing is left behind when it is closed.
OwnedFd detached_tracefs() {
    const OwnedFd context(static_cast<int>(syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC)));
    if (!context) return {};
    if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return {};
    }
    return OwnedFd(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
}

/// The number of the tracepoint on this kernel, read from tracefs where it is mounted, and
/// otherwise from a mount of our own (which takes CAP_SYS_ADMIN).
std::optional<std::uint64_t> tracepoint_id() {
    OwnedFd file;
    OwnedFd mount;
    for (const char* root : {"/sys/kernel/tracing/", "/sys/kernel/debug/tracing/"}) {
        if (!file) {
            file =
                OwnedFd(open(fmt::format("{}{}", root, tracepoint).c_str(), O_RDONLY | O_CLOEXEC));
        }
    }
    if (!file) {
        mount = detached_tracefs();
        if (mount) file = OwnedFd(openat(mount.get(), tracepoint, O_RDONLY | O_CLOEXEC));
    }
    char text[32];
    const ssize_t got = file ? read(file.get(), text, sizeof text) : -1;
    std::uint64_t id = 0;
    if (got <= 0 || std::from_chars(text, text + got, id).ec != std::errc()) return std::nullopt;
    return id;
}

}  // namespace

SyscallCounter::SyscallCounter(pid_t pid) {
    const auto id = tracepoint_id();
    if (!id) {
        reason_ =
            "the tracepoint raw_syscalls:sys_enter cannot be read here (no tracefs, or no "
            "permission: run as root)";
        return;
    }
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.config = *id;
    attributes.inherit = 1;
    event_ = OwnedFd(static_cast<int>(
        syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!event_) {
        reason_ = fmt::format(
            "perf_event_open: {} (run as root, or lower "
            "kernel.perf_event_paranoid)",
            std::strerror(errno));
    }
}

std::optional<std::uint64_t> SyscallCounter::read() const {
    std::uint64_t count = 0;
    if (!event_ || ::read(event_.get(), &count, sizeof count) != sizeof count) return std::nullopt;
    return count;
}

}  // namespace loopbench
