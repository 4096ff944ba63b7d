#pragma once

// The reference `bare`: raw system calls and nothing else, for each workload the least that the
// kernel, or a ring buffer, allows. The yardstick of the socket workloads.
//
// Frozen, with all files in this directory: baselines that were recorded are ratios to it. A test
// (tests/workloads/frozen_test.cpp) pins their digest; what is to be measured differently gets a
// new name.

#include <array>
#include <memory>

#include "workloads/bare/echo.hpp"
#include "workloads/bare/fanin.hpp"
#include "workloads/bare/host.hpp"
#include "workloads/bare/pingpong.hpp"
#include "workloads/bare/server.hpp"
#include "workloads/bare/timers.hpp"
#include "workloads/registry.hpp"

namespace loopbench {

inline LoopDescription BareHost::describe() {
    LoopDescription description;
    description.name = "bare";
    description.library = "Linux";
    description.version = "1";
    description.operations = {{"push", Support::native}, {"listen", Support::native}};
    description.notes = {
        {"read", "one recv into one buffer for all connections; a short read means drained"},
        {"write", "now; EPOLLOUT is armed on EAGAIN only"},
        {"poll", "epoll, edge-triggered, registered once, up to 1024 events"},
        {"api", "push only"},
        {"timers", "each timer is touched once, in no order; one sleep a round"},
        {"pingpong", "a ring buffer; the kernel is never polled; callback, yield and event only"}};
    description.settable_poll_interval = false;
    return description;
}

template <class Made>
std::unique_ptr<Workload> make_bare(BareHost& host, const WorkloadSetup& setup) {
    return std::make_unique<Made>(host, setup);
}

template <>
inline constexpr auto workload_list<BareHost> = std::to_array<WorkloadEntry<BareHost>>({
    {"echo", &make_bare<BareServer<BareEcho>>},
    {"fanin", &make_bare<BareServer<BareFanin>>},
    {"timers", &make_bare<BareTimers>},
    {"pingpong", &make_bare<BarePingPong>},
});

}  // namespace loopbench
