#pragma once

#include <cstdint>

namespace loopbench {

/// How often this thread has called `operator new` since it started, in this test executable.
std::uint64_t allocations();

}  // namespace loopbench
