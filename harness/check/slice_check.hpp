#pragma once

#include "harness/check/check_list.hpp"
#include "harness/check/checked_sut.hpp"

namespace loopbench {

/// Checks that the program runs a workload inside its own process, in each form that it offers.
void check_in_process_workload(CheckList& list, const CheckSubject& subject,
                               const WorkloadInfo& workload);

}  // namespace loopbench
