#pragma once

namespace loopbench {

/// How a loopbench-micro-* program tells `loopbench micro` why it has measured nothing, beside the
/// one line that it writes to standard error.
enum MicroExitStatus : int {
    micro_usage = 2,         ///< a flag that Google Benchmark does not take
    micro_unavailable = 69,  ///< the loop cannot work on this machine (EX_UNAVAILABLE)
};

}  // namespace loopbench
