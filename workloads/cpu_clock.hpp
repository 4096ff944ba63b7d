#pragma once

#include <time.h>

#include <chrono>

namespace loopbench {

/// CPU time of the calling thread so far; waiting does not count. Costs a system call (about half a
/// microsecond), so it goes round thousands of operations, never round one.
inline std::chrono::nanoseconds thread_cpu_time() noexcept {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace loopbench
