#pragma once

#include <string>

#include "harness/check/check_list.hpp"
#include "harness/check/checked_sut.hpp"

namespace loopbench {

/// Checks what a process that was set up does with what it does not know, and while nothing is
/// asked; notes its threads and what it costs when idle. `where` is the workload.
void check_manners(CheckList& list, const CheckSubject& subject, CheckedSut& sut,
                   const std::string& where);

}  // namespace loopbench
