#include "harness/sut/descriptor_limit.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

#include "workloads/workload.hpp"

namespace loopbench {
namespace {

// The listener, one to accept into, and what a library may open later.
constexpr std::size_t reserve = 8;

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator listing("/proc/self/fd");
    // One of them is the listing's own.
    return static_cast<std::size_t>(std::distance(begin(listing), end(listing))) - 1;
}

rlimit descriptor_limit() noexcept {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit;
}

}  // namespace

void raise_descriptor_limit() noexcept {
    rlimit limit = descriptor_limit();
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void require_descriptors(std::size_t connections, std::optional<std::size_t> loop_limit) {
    const std::size_t others = open_descriptors() + reserve;
    const std::size_t needed = connections + others;
    rlimit limit = descriptor_limit();
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = needed;
        limit.rlim_max = std::max<rlim_t>(limit.rlim_max, needed);
        // Only a privileged process may raise the hard one, and not beyond fs.nr_open.
        setrlimit(RLIMIT_NOFILE, &limit);
        limit = descriptor_limit();
    }
    const bool by_loop = loop_limit && *loop_limit < limit.rlim_cur;
    const std::size_t allowed = by_loop ? *loop_limit : limit.rlim_cur;
    if (needed <= allowed) return;

    const std::size_t possible = allowed - std::min(allowed, others);
    std::string remedy = fmt::format("at most {} connections would do", possible);
    if (!by_loop) remedy += fmt::format("; or raise the hard limit (ulimit -Hn) to {}", needed);
    throw WorkloadError(
        fmt::format("parameter connections is {}, and {} {} descriptors", connections,
                    by_loop ? "this loop watches only the first" : "this process may open only",
                    allowed),
        remedy);
}

}  // namespace loopbench
