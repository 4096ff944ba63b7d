#pragma once

#include "harness/sut/hosted.hpp"

namespace loopbench {

/// The whole of a SUT: the control protocol on two descriptors, of which the host watches `input`.
/// Gives the exit status: 0, or 2 for input that is no message.
int run_sut(const HostType& type, int input, int output);

}  // namespace loopbench
