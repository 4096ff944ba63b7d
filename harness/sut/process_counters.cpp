#include "harness/sut/process_counters.hpp"

#include <dlfcn.h>
#include <sys/resource.h>
#include <time.h>

namespace loopbench {
namespace {

using CountFunction = std::uint64_t (*)();

std::uint64_t total_allocations() noexcept {
    static const auto count =
        reinterpret_cast<CountFunction>(dlsym(RTLD_DEFAULT, "loopbench_allocation_count"));
    return count == nullptr ? 0 : count();
}

bool counter_is_preloaded() noexcept {
    return dlsym(RTLD_DEFAULT, "loopbench_allocation_count") != nullptr;
}

/// Allocations by control work that has ended, and the total when the present one began.
struct ControlShare {
    std::uint64_t ended = 0;
    std::uint64_t began = 0;
    bool busy = false;
};
ControlShare share;

}  // namespace

ProcessCounters process_counters() noexcept {
    timespec cpu{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return {.cpu_ns = static_cast<std::uint64_t>(cpu.tv_sec) * 1'000'000'000 +
                      static_cast<std::uint64_t>(cpu.tv_nsec),
            .voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw),
            .involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw),
            .allocations = std::nullopt};
}

std::optional<std::uint64_t> counted_allocations() noexcept {
    if (!counter_is_preloaded()) return std::nullopt;
    return (share.busy ? share.began : total_allocations()) - share.ended;
}

ControlWork::ControlWork() noexcept {
    share.began = total_allocations();
    share.busy = true;
}

ControlWork::~ControlWork() {
    share.ended += total_allocations() - share.began;
    share.busy = false;
}

}  // namespace loopbench
