#pragma once

#include <vector>

#include "harness/driver/parameters.hpp"
#include "harness/fd.hpp"

namespace loopbench::driver {

/// Opens all connections of the case, non-blocking and with its socket options; place i is
/// connection number i. No more are begun at once than the server's backlog holds, and a full one
/// is waited for without spinning. The limit on descriptors is raised when it is too low, the hard
/// one too where that is permitted. Throws DriverError.
std::vector<OwnedFd> open_connections(const CaseParameters& parameters);

}  // namespace loopbench::driver
