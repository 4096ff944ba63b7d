#include "harness/descriptor_limit.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "harness/errors.hpp"

namespace loopbench {

void raise_descriptor_limit(std::uint64_t connections) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t needed = connections + descriptors_beside_connections;
    if (needed <= limit.rlim_cur) return;
    const rlimit wanted{needed, std::max(needed, limit.rlim_max)};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) return;
    throw UsageError(fmt::format(
        "--connections={}: the limit of open descriptors allows {}; give fewer, or raise the limit "
        "(ulimit -n {}, as root)",
        connections,
        limit.rlim_max > descriptors_beside_connections
            ? limit.rlim_max - descriptors_beside_connections
            : 0,
        needed));
}

}  // namespace loopbench
