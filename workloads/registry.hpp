#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "workloads/cancel.hpp"
#include "workloads/cooperative.hpp"
#include "workloads/echo.hpp"
#include "workloads/fanin.hpp"
#include "workloads/pingpong.hpp"
#include "workloads/timeout.hpp"
#include "workloads/timers.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// A workload's name, and how it is made on a loop. Making it throws `WorkloadError`.
template <class Loop>
struct WorkloadEntry {
    std::string_view name;
    std::unique_ptr<Workload> (*make)(Loop&, const WorkloadSetup&);
};

/// Every workload, one line each.
template <class Loop>
inline constexpr auto workload_list = std::to_array<WorkloadEntry<Loop>>({
    {"echo", &make_echo<Loop>},
    {"fanin", &make_fanin<Loop>},
    {"timers", &make_timers<Loop>},
    {"pingpong", &make_ping_pong<Loop>},
    {"cooperative", &make_cooperative<Loop>},
    {"cancel", &make_cancel<Loop>},
    {"timeout", &make_timeout<Loop>},
});

}  // namespace loopbench
