#pragma once

#include "loops/selector/poll_selector.hpp"
#include "loops/selector/selector_loop.hpp"

namespace loopbench {

using PollLoop = SelectorLoop<PollSelector>;

}  // namespace loopbench
