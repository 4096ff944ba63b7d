#include "tests/results/allocation_counter.hpp"

#include <cstdlib>
#include <new>

namespace {
thread_local std::uint64_t count = 0;
}

// The other forms call these by default, except that a sanitizer has its own for each: then what is
// released by a plain `delete` must have come from here, so the one that does not throw is here
// too.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++count;
    return std::malloc(size == 0 ? 1 : size);
}

void* operator new(std::size_t size) {
    if (void* memory = operator new(size, std::nothrow)) return memory;
    throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace loopbench {

std::uint64_t allocations() {
    return count;
}

}  // namespace loopbench
