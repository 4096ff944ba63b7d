// Claims about how tasks are scheduled, cancelled and timed out: what happens rather than what it
// costs.

#include <fmt/format.h>

#include "harness/claims/claim.hpp"

namespace loopbench {
namespace {

/// Each kind of loop once; the first is the reference, for cases in which there is no floor.
const std::string first_loop = "epoll";
const std::vector<std::string>& others() {
    static const std::vector<std::string> arms{"uring", "uv", "asio", "asyncio", "uvloop"};
    return arms;
}

/// What happens is the same in each block, or it is not what is claimed.
constexpr int blocks_of_behaviour = 7;

std::vector<std::string> arms_of(const Experiment& experiment) {
    std::vector<std::string> arms{experiment.reference};
    arms.insert(arms.end(), experiment.arms.begin(), experiment.arms.end());
    return arms;
}

struct Spin {
    int spin_us;
    int await_every_us;  ///< 0: never
};

std::vector<Spin> spins(Extent extent) {
    if (extent == Extent::quick) return {{10'000, 0}, {10'000, 1'000}};
    // A tenth of a millisecond is less than most timers tell apart: no control at 1 ms.
    return {{1'000, 0}, {10'000, 0}, {100'000, 0}, {10'000, 1'000}, {100'000, 10'000}};
}

Experiment spin_experiment(const Spin& spin) {
    return {"cooperative",
            {{"spin_us", std::to_string(spin.spin_us)},
             {"await_every_us", std::to_string(spin.await_every_us)}},
            first_loop,
            others(),
            "lockstep",
            spin.spin_us >= 100'000 ? 2.5 : 1,
            blocks_of_behaviour};
}

std::vector<Experiment> cooperative_experiments(Extent extent) {
    std::vector<Experiment> all;
    for (const Spin& spin : spins(extent)) all.push_back(spin_experiment(spin));
    return all;
}

std::vector<ClaimCell> cooperative_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Spin& spin : spins(extent)) {
        const Experiment experiment = spin_experiment(spin);
        const bool gives_way = spin.await_every_us > 0;
        const ClaimedRange range =
            gives_way ? ClaimedRange::at_most(0.5) : ClaimedRange::at_least(1);
        for (const std::string& arm : arms_of(experiment)) {
            for (const char* who : {"timer", "echo"}) {
                const Estimate delay =
                    evidence.figure(experiment, fmt::format("{}_delay_per_spin", who), arm);
                cells.push_back(
                    make_cell(fmt::format("time until the {} was served, in spins", who),
                              {{"arm", arm},
                               {"spin_ms", std::to_string(spin.spin_us / 1000)},
                               {"awaits", gives_way ? "every tenth" : "never"},
                               {"who", who}},
                              delay, range));
            }
        }
    }
    return cells;
}

std::vector<Experiment> cancel_experiments(Extent) {
    std::vector<Experiment> all;
    for (const char* wait : {"event", "sleep", "read"}) {
        all.push_back(
            {"cancel", {{"wait", wait}}, first_loop, others(), "lockstep", 1, blocks_of_behaviour});
    }
    return all;
}

std::vector<ClaimCell> cancel_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : cancel_experiments(extent)) {
        for (const std::string& arm : arms_of(experiment)) {
            cells.push_back(make_cell("turns from cancel to delivery",
                                      {{"arm", arm}, {"wait", experiment.params.at("wait")}},
                                      evidence.figure(experiment, "turns_to_cancel", arm),
                                      ClaimedRange::between(1, 1)));
        }
    }
    return cells;
}

std::vector<ClaimCell> cancel_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> figures;
    for (const Experiment& experiment : cancel_experiments(extent)) {
        for (const std::string& arm : arms_of(experiment)) {
            figures.push_back(make_cell("share delivered in the very next turn",
                                        {{"arm", arm}, {"wait", experiment.params.at("wait")}},
                                        evidence.figure(experiment, "next_turn_share", arm)));
        }
    }
    return figures;
}

Experiment timeout_experiment(const char* outcome) {
    return {"timeout", {{"outcome", outcome}}, first_loop, others(), "lockstep",
            1,         blocks_of_behaviour};
}

std::vector<Experiment> timeout_experiments(Extent) {
    return {timeout_experiment("expires"), timeout_experiment("met")};
}

std::vector<ClaimCell> timeout_cells(Extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    const Experiment expires = timeout_experiment("expires");
    for (const std::string& arm : arms_of(expires)) {
        cells.push_back(make_cell(
            "share of timeouts whose inner task was cancelled first", {{"arm", arm}},
            evidence.figure(expires, "cancelled_first_share", arm), ClaimedRange::between(1, 1)));
    }
    return cells;
}

std::vector<ClaimCell> timeout_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> figures;
    for (const Experiment& experiment : timeout_experiments(extent)) {
        for (const std::string& arm : arms_of(experiment)) {
            figures.push_back(
                make_cell("CPU per wait under a limit, ns",
                          {{"arm", arm}, {"outcome", experiment.params.at("outcome")}},
                          evidence.figure(experiment, "cpu_ns_per_op", arm)));
        }
    }
    return figures;
}

}  // namespace

std::vector<Claim> task_claims() {
    return {
        {"cooperative", "a task that does not await delays all others",
         "the first lesson on any event loop",
         "a timer due after a tenth of a spin, and a byte to echo that comes at its start, beside "
         "a "
         "task that spins for 1, 10 or 100 ms: confirmed when they are served after the whole "
         "spin, "
         "and, where the task gives way ten times meanwhile, before half of it. Refuted when "
         "they are served during the spin",
         "the kernel is polled at every pass here; a loop that polls it after many callbacks makes "
         "an echo wait longer than one step of the spinning task",
         cooperative_experiments, cooperative_cells},
        {"cancel-next-turn", "cancel raises in the task on the loop's next iteration",
         "the documentation of asyncio's Task.cancel",
         "tasks that wait for an event, for time, for bytes: turns of the loop from the "
         "cancel to its delivery in the task. Confirmed when it is exactly one, refuted when none "
         "or more",
         "a buffer that was lent to the kernel must come back first, which takes what the kernel "
         "takes",
         cancel_experiments, cancel_cells, cancel_beside},
        {"timeout-cancels", "an expired timeout cancels the inner task",
         "the documentation of asyncio.timeout and wait_for",
         "inner tasks that wait for what never comes, under limits of 1 to 5 ms: confirmed when "
         "each inner task has ended as cancelled by the time the outer one is told of the timeout",
         "nothing is said of an inner task that refuses to be cancelled", timeout_experiments,
         timeout_cells, timeout_beside},
    };
}

}  // namespace loopbench
