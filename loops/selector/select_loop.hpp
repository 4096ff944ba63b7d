#pragma once

#include "loops/selector/select_selector.hpp"
#include "loops/selector/selector_loop.hpp"

namespace loopbench {

using SelectLoop = SelectorLoop<SelectSelector>;

}  // namespace loopbench
