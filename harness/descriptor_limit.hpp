#pragma once

#include <cstdint>

namespace loopbench {

/// Raises this process's limit of open descriptors, which its children inherit, so that one process
/// can hold `connections`: the soft limit, and as root the hard one too. Throws UsageError, which
/// names --connections, when that many are not allowed.
void raise_descriptor_limit(std::uint64_t connections);

/// Descriptors that a process of ours holds beside its connections, amply.
inline constexpr std::uint64_t descriptors_beside_connections = 32;

}  // namespace loopbench
