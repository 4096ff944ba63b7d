#include "harness/hardware_counter.hpp"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace loopbench {
namespace {

OwnedFd open_event(pid_t pid, std::uint64_t event) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = event;
    attributes.inherit = 1;
    return OwnedFd(static_cast<int>(
        syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
}

std::optional<std::uint64_t> read_event(const OwnedFd& event) {
    std::uint64_t count = 0;
    if (!event || read(event.get(), &count, sizeof count) != sizeof count) return std::nullopt;
    return count;
}

}  // namespace

HardwareCounter::HardwareCounter(pid_t pid)
    : instructions_(open_event(pid, PERF_COUNT_HW_INSTRUCTIONS)),
      cycles_(open_event(pid, PERF_COUNT_HW_CPU_CYCLES)) {
    if (instructions_ && cycles_) return;
    reason_ = errno == ENOENT || errno == EOPNOTSUPP || errno == ENODEV
                  ? "this machine has no hardware counters (virtual machines seldom do)"
                  : fmt::format("perf_event_open: {}", std::strerror(errno));
}

std::optional<std::uint64_t> HardwareCounter::instructions() const {
    return read_event(instructions_);
}

std::optional<std::uint64_t> HardwareCounter::cycles() const {
    return read_event(cycles_);
}

}  // namespace loopbench
