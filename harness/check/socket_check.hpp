#pragma once

#include "harness/check/check_list.hpp"
#include "harness/check/checked_sut.hpp"

namespace loopbench {

/// Checks that the program serves a socket workload: over Unix sockets and TCP, by each api that it
/// offers, driven by the driver that also measures.
void check_socket_workload(CheckList& list, const CheckSubject& subject,
                           const WorkloadInfo& workload);

}  // namespace loopbench
