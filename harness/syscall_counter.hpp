#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "harness/fd.hpp"

namespace loopbench {

/// Counts the system calls of a process and all that it starts, by the kernel's tracepoint
/// raw_syscalls:sys_enter. It costs the counted process about 160 ns a call, so it belongs into a
/// process of its own, never beside a timed one.
class SyscallCounter {
  public:
    /// Starts to count `pid`, best while it still waits before its exec. Where counting is
    /// impossible (no tracefs, no permission), the counter has a `reason` and no `read`.
    explicit SyscallCounter(pid_t pid);

    /// System calls entered so far.
    std::optional<std::uint64_t> read() const;
    /// Why nothing is counted, and what would help; empty when it counts.
    const std::string& reason() const noexcept { return reason_; }

  private:
    OwnedFd event_;
    std::string reason_;
};

}  // namespace loopbench
