#include "tests/conformance/allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

// An executable's malloc takes the place of the C library's for everybody in the process; glibc
// keeps its own reachable under these names for that purpose.
#ifndef LOOPBENCH_SANITIZED
#define LOOPBENCH_COUNT_ALLOCATIONS 1
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}
#endif

namespace {

std::atomic<std::uint64_t> made{0};
std::atomic<std::int64_t> living{0};

}  // namespace

#ifdef LOOPBENCH_COUNT_ALLOCATIONS

namespace {

void* counted(void* block) {
    if (block != nullptr) {
        made.fetch_add(1, std::memory_order_relaxed);
        living.fetch_add(1, std::memory_order_relaxed);
    }
    return block;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept {
    return counted(__libc_malloc(size));
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    return counted(__libc_calloc(count, size));
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
    return counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    *block = counted(__libc_memalign(alignment, size));
    return *block != nullptr ? 0 : ENOMEM;
}
void* realloc(void* block, std::size_t size) noexcept {
    void* moved = __libc_realloc(block, size);
    if (moved != nullptr) made.fetch_add(1, std::memory_order_relaxed);
    if (block == nullptr && moved != nullptr) living.fetch_add(1, std::memory_order_relaxed);
    if (block != nullptr && moved == nullptr && size == 0) {
        living.fetch_sub(1, std::memory_order_relaxed);
    }
    return moved;
}
void free(void* block) noexcept {
    if (block != nullptr) living.fetch_sub(1, std::memory_order_relaxed);
    __libc_free(block);
}

}  // extern "C"

#endif

namespace loopbench::conformance {

bool allocations_are_counted() {
#ifdef LOOPBENCH_COUNT_ALLOCATIONS
    return true;
#else
    return false;
#endif
}

std::uint64_t allocations() {
    return made.load(std::memory_order_relaxed);
}
std::int64_t living_allocations() {
    return living.load(std::memory_order_relaxed);
}

}  // namespace loopbench::conformance
