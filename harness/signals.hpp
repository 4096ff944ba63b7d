#pragma once

#include "harness/fd.hpp"

namespace loopbench {

/// Turns SIGINT and SIGTERM into a readable descriptor for as long as it lives, and ignores
/// SIGPIPE, so that a signal is seen only where the harness waits, never half-way through
/// something. To be made by the main thread before it starts children; those get the default
/// dispositions back.
class StopSignals {
  public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// Becomes readable when the user wants the end, and stays so.
    int fd() const noexcept { return fd_.get(); }

    /// Throws Interrupted when the user wants the end.
    void check() const;

    /// Sleeps until the user wants the end or `other` (a descriptor, or -1) becomes readable.
    void wait(int other) const;

  private:
    OwnedFd fd_;
};

}  // namespace loopbench
