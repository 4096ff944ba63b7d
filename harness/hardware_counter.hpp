#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "harness/fd.hpp"

namespace loopbench {

/// Counts instructions and cycles of a process and all that it starts, in user space and in the
/// kernel, by the processor's own counters. They count while the process runs at full speed.
class HardwareCounter {
  public:
    /// Starts to count `pid`, best while it still waits before its exec. Where the machine has no
    /// such counters (most virtual ones), there is a `reason` and nothing to read.
    explicit HardwareCounter(pid_t pid);

    std::optional<std::uint64_t> instructions() const;
    std::optional<std::uint64_t> cycles() const;
    const std::string& reason() const noexcept { return reason_; }

  private:
    OwnedFd instructions_;
    OwnedFd cycles_;
    std::string reason_;
};

}  // namespace loopbench
