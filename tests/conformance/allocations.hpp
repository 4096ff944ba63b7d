#pragma once

#include <cstdint>

namespace loopbench::conformance {

/// What the process has taken from the heap, through C++ or C, in libraries, too. Nothing is
/// counted in builds with a sanitizer, which brings an allocator (and finds leaks) of its own.
bool allocations_are_counted();
/// Allocations made since the process began.
std::uint64_t allocations();
/// Blocks that are allocated now.
std::int64_t living_allocations();

}  // namespace loopbench::conformance
