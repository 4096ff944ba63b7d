// A library to preload: counts allocations. It stands in front of the C library's allocator, which
// is also below operator new, and hands everything on.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

// The C library's own names for its allocator, made for this. Looking the functions up with dlsym
// would not do: dlsym itself allocates.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

std::atomic<std::uint64_t> allocations{0};

void count() noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

/// Allocations and reallocations of the process so far.
std::uint64_t loopbench_allocation_count() {
    return allocations.load(std::memory_order_relaxed);
}

void* malloc(std::size_t size) {
    count();
    return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
    count();
    return __libc_calloc(number, size);
}

void* realloc(void* memory, std::size_t size) {
    count();
    return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    if (alignment < sizeof(void*) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void* const allocated = memalign(alignment, size);
    if (allocated == nullptr) return ENOMEM;
    *memory = allocated;
    return 0;
}

}  // extern "C"
