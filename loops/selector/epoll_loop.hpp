#pragma once

#include "loops/selector/epoll_selector.hpp"
#include "loops/selector/selector_loop.hpp"

namespace loopbench {

using EpollLoop = SelectorLoop<EpollSelector>;

}  // namespace loopbench
