#pragma once

// The reference `threads`: ping-pong between threads of the operating system, which hand the token
// on by futex(2) on one processor or over two.

#include <memory>
#include <string>

#include "workloads/idle_host.hpp"
#include "workloads/registry.hpp"

namespace loopbench {

class ThreadsHost : public IdleHost {
  public:
    using IdleHost::IdleHost;

    static LoopDescription describe() {
        LoopDescription description;
        description.name = "threads";
        description.library = "Linux futex";
        description.version = LOOPBENCH_VERSION;
        description.operations = {{"switch", Support::native}};
        description.notes = {
            {"switch", "FUTEX_WAKE of the next thread, FUTEX_WAIT of this one"},
            {"variant", "callback, yield and event are the same hand-off here"},
            {"cpus",
             "the processors are those the process may have: with 2, every other thread is "
             "on the second, for which the affinity it was started with is widened"}};
        description.settable_poll_interval = false;
        description.keys = {{"cpus", {"1", "2"}, "processors over which the threads are spread"}};
        return description;
    }
};

std::unique_ptr<Workload> make_thread_ping_pong(ThreadsHost& host, const WorkloadSetup& setup);

template <>
inline constexpr auto workload_list<ThreadsHost> = std::to_array<WorkloadEntry<ThreadsHost>>({
    {"pingpong", &make_thread_ping_pong},
});

}  // namespace loopbench
