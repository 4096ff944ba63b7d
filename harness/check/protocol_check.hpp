#pragma once

#include "harness/check/check_list.hpp"
#include "harness/check/checked_sut.hpp"

namespace loopbench {

/// Checks whether a program keeps the SUT's side of docs/protocol.md: what it says of itself, and
/// each workload that it offers and the harness knows. Throws Interrupted.
void check_protocol(CheckList& list, const CheckSubject& subject);

}  // namespace loopbench
