// Claims about what it costs to go from one task to the next.

#include <fmt/format.h>

#include "harness/claims/claim.hpp"

namespace loopbench {
namespace {

std::vector<Experiment> uvloop_experiments(Extent extent) {
    std::vector<Experiment> all;
    const std::vector<std::string> variants =
        extent == Extent::quick ? std::vector<std::string>{"callback", "yield"}
                                : std::vector<std::string>{"callback", "yield", "event", "cancel"};
    const std::vector<std::string> tasks = extent == Extent::quick
                                               ? std::vector<std::string>{"2"}
                                               : std::vector<std::string>{"2", "1000"};
    for (const std::string& variant : variants) {
        for (const std::string& count : tasks) {
            all.push_back(
                {"pingpong", {{"variant", variant}, {"tasks", count}}, "uvloop", {"asyncio"}});
        }
    }
    return all;
}

std::vector<ClaimCell> uvloop_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : uvloop_experiments(extent)) {
        cells.push_back(make_cell("CPU per switch, asyncio over uvloop", experiment.params,
                                  evidence.ratio(experiment, "cpu_ns_per_switch", "asyncio"),
                                  ClaimedRange::at_least(1.1)));
    }
    return cells;
}

const std::vector<std::string>& switching_arms() {
    static const std::vector<std::string> arms{
        "epoll", "uring", "uv", "asio", "asyncio", "uvloop", "native-asio+post=awaitable"};
    return arms;
}

/// Against threads that hand over on the same processor, and on two.
std::vector<Experiment> thread_experiments(Extent extent) {
    std::vector<std::string> references{"threads"};
    if (extent != Extent::quick) references.emplace_back("threads+cpus=2");
    std::vector<Experiment> all;
    for (const std::string& threads : references) {
        all.push_back(
            {"pingpong", {{"variant", "yield"}}, threads, switching_arms(), "lockstep", 1.5});
    }
    return all;
}

std::vector<ClaimCell> thread_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : thread_experiments(extent)) {
        for (const std::string& arm : switching_arms()) {
            if (!evidence.has(experiment, arm) && evidence.why_skipped(experiment).empty()) {
                continue;
            }
            const std::string processors = experiment.reference == "threads" ? "1" : "2";
            cells.push_back(make_cell("CPU per switch, threads over tasks",
                                      {{"arm", arm}, {"processors", processors}},
                                      inverse(evidence.ratio(experiment, "cpu_ns_per_switch", arm)),
                                      ClaimedRange::at_least(10)));
        }
    }
    return cells;
}

}  // namespace

std::vector<Claim> switch_claims() {
    return {
        {"uvloop-switch", "uvloop's task switches are faster than asyncio's, too",
         "what is taught of asyncio, which extends the claim on I/O to scheduling",
         "ping-pong by call_soon, sleep(0), Event and Task.cancel: CPU time per switch, asyncio "
         "over uvloop. Confirmed when 9 of 10 ratios are at least 1.1, refuted when they are less",
         "tasks that do nothing but hand over; under both the task itself is CPython's",
         uvloop_experiments, uvloop_cells},
        {"switch-cheap", "a coroutine switch is far cheaper than the kernel's switch of threads",
         "textbooks on asynchronous programming",
         "a token passed on by tasks that yield, and by OS threads over a futex, on one processor "
         "and on two: CPU time per switch. Confirmed when it is at least ten times less in 9 of 10 "
         "figures, refuted when less than ten times",
         "the threads do nothing else; what a switch costs by cold caches afterwards is not seen. "
         "In a virtual machine a wake-up across processors is dearer than on bare metal",
         thread_experiments, thread_cells},
    };
}

}  // namespace loopbench
