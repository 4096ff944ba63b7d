#pragma once

#include <cstddef>
#include <optional>

namespace loopbench {

/// Raises the soft limit on open descriptors to the hard one.
void raise_descriptor_limit() noexcept;

/// Makes sure that `connections` more descriptors can be opened, and a few besides; raises the hard
/// limit for that if the process may. `loop_limit` is what the loop says: descriptors must be below
/// it. Throws `WorkloadError` that names the number of connections that would do.
void require_descriptors(std::size_t connections, std::optional<std::size_t> loop_limit);

}  // namespace loopbench
