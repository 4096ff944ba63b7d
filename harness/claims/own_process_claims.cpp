// What loopbench claims of its own loops in process: switches, tasks, timers, and of its harness.

#include <fmt/format.h>

#include "harness/claims/claim.hpp"
#include "harness/claims/own_claims.hpp"

namespace loopbench {
namespace {

/// Nanoseconds as multiples of an iteration of the normaliser: on the machine for which the targets
/// were set, it takes so many (docs/performance.md, which tells how that was found).
constexpr double normaliser_ns = 8.8;

ClaimedRange at_most_ns(double ns) {
    return ClaimedRange::at_most(ns / normaliser_ns);
}

Experiment switching(const std::string& variant, const std::string& tasks,
                     const std::string& poll_interval) {
    Experiment experiment{
        "pingpong",
        {{"variant", variant}, {"tasks", tasks}, {"poll_interval", poll_interval}},
        "normaliser",
        {"epoll", "uring", "native-asio", "native-asio+post=awaitable", "asyncio", "threads"}};
    experiment.cost = 2;
    experiment.also_over = own_loops();
    return experiment;
}

const std::string usual_poll_interval = "61";

std::vector<Experiment> own_switch_grid(Extent extent, const std::string& poll_interval) {
    std::vector<Experiment> all;
    for (const char* variant : {"callback", "yield"}) {
        all.push_back(switching(variant, "2", poll_interval));
        if (extent != Extent::quick) all.push_back(switching(variant, "1000", poll_interval));
    }
    return all;
}

std::vector<Experiment> own_switch_experiments(Extent extent) {
    std::vector<Experiment> all = own_switch_grid(extent, usual_poll_interval);
    for (Experiment& experiment : own_switch_grid(extent, "1"))
        all.push_back(std::move(experiment));
    return all;
}

struct OwnPeer {
    std::string arm;
    double factor;  ///< that it is dearer by, at the least
};

std::vector<ClaimCell> own_switch_cells(Extent extent, const ClaimEvidence& evidence) {
    const std::vector<OwnPeer> peers{
        {"native-asio", 4}, {"native-asio+post=awaitable", 10}, {"asyncio", 100}, {"threads", 300}};
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : own_switch_grid(extent, usual_poll_interval)) {
        for (const std::string& own : own_loops()) {
            cells.push_back(
                make_cell("CPU per switch over the normaliser", own_traits(experiment, own),
                          evidence.ratio(experiment, "cpu_ns_per_switch", own), at_most_ns(10)));
            for (const OwnPeer& peer : peers) {
                if (!is_expected(experiment, peer.arm, evidence)) continue;
                cells.push_back(
                    make_cell(fmt::format("CPU per switch, {} over own", peer.arm),
                              own_traits(experiment, own),
                              evidence.ratio(experiment, "cpu_ns_per_switch", peer.arm, own),
                              ClaimedRange::at_least(peer.factor)));
            }
        }
    }
    return cells;
}

std::vector<ClaimCell> own_switch_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const char* poll_interval : {"61", "1"}) {
        for (const Experiment& experiment : own_switch_grid(extent, poll_interval)) {
            for (const char* arm : {"epoll", "uring", "native-asio", "native-asio+post=awaitable",
                                    "asyncio", "threads", "normaliser"}) {
                if (!is_expected(experiment, arm, evidence)) continue;
                cells.push_back(make_cell("ns per switch", own_traits(experiment, arm),
                                          evidence.figure(experiment, "cpu_ns_per_switch", arm)));
            }
        }
    }
    return cells;
}

Experiment own_task_experiment(const std::string& variant, const std::string& tasks) {
    Experiment experiment{"pingpong",
                          {{"variant", variant}, {"tasks", tasks}},
                          "normaliser",
                          {"epoll", "uring", "uv", "asio", "asyncio"}};
    experiment.cost = 2;
    return experiment;
}

std::vector<Experiment> own_task_experiments(Extent extent) {
    std::vector<Experiment> all{own_task_experiment("cancel", "2"),
                                own_task_experiment("spawn", "2")};
    if (extent != Extent::quick) all.push_back(own_task_experiment("cancel", "1000"));
    return all;
}

std::vector<ClaimCell> own_task_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : own_task_experiments(extent)) {
        const bool spawns = experiment.params.at("variant") == "spawn";
        for (const std::string& own : own_loops()) {
            cells.push_back(make_cell(spawns ? "CPU per task, from its making to its end, over the "
                                               "normaliser"
                                             : "CPU per cancelled wait over the normaliser",
                                      own_traits(experiment, own),
                                      evidence.ratio(experiment, "cpu_ns_per_switch", own),
                                      at_most_ns(spawns ? 40 : 60)));
        }
    }
    return cells;
}

std::vector<ClaimCell> own_task_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : own_task_experiments(extent)) {
        for (const char* arm : {"epoll", "uring", "uv", "asio", "asyncio", "normaliser"}) {
            if (!is_expected(experiment, arm, evidence)) continue;
            cells.push_back(make_cell("ns per task or wait", own_traits(experiment, arm),
                                      evidence.figure(experiment, "cpu_ns_per_switch", arm)));
        }
    }
    return cells;
}

const std::string few_timers = "10000";
const std::string many_timers = "1000000";

Experiment own_timer_experiment(const std::string& pending) {
    Experiment experiment{"timers",
                          {{"pending", pending}},
                          "normaliser",
                          {"epoll", "uring", "native-uv", "native-asio"}};
    experiment.cost = pending == many_timers ? 9 : 3;
    experiment.slice_ms = 5;
    experiment.also_over = own_loops();
    return experiment;
}

std::vector<Experiment> own_timer_experiments(Extent extent) {
    std::vector<Experiment> all{own_timer_experiment(few_timers)};
    if (extent != Extent::quick) all.push_back(own_timer_experiment(many_timers));
    return all;
}

std::vector<ClaimCell> own_timer_cells(Extent extent, const ClaimEvidence& evidence) {
    const std::vector<OwnPeer> peers{{"native-uv", 8}, {"native-asio", 3}};
    const Experiment few = own_timer_experiment(few_timers);
    const Experiment most = own_timer_experiments(extent).back();
    std::vector<ClaimCell> cells;
    for (const std::string& own : own_loops()) {
        for (const OwnPeer& peer : peers) {
            cells.push_back(make_cell(fmt::format("CPU per timer, {} over own", peer.arm),
                                      own_traits(most, own),
                                      evidence.ratio(most, "cpu_ns_per_timer", peer.arm, own),
                                      ClaimedRange::at_least(peer.factor)));
            cells.push_back(make_cell(
                fmt::format("lateness p99, {} over own", peer.arm), own_traits(most, own),
                evidence.ratio(most, "lateness_p99", peer.arm, own), ClaimedRange::at_least(1)));
        }
        if (extent == Extent::quick) continue;
        cells.push_back(make_cell("growth of CPU per timer, 10k to 1M pending",
                                  own_traits(most, own),
                                  quotient(evidence.ratio(most, "cpu_ns_per_timer", own),
                                           evidence.ratio(few, "cpu_ns_per_timer", own)),
                                  ClaimedRange::at_most(2)));
    }
    return cells;
}

std::vector<ClaimCell> own_timer_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : own_timer_experiments(extent)) {
        for (const char* operation : {"start", "cancel", "expire"}) {
            for (const char* arm : {"epoll", "uring", "native-uv", "native-asio"}) {
                cells.push_back(make_cell(
                    fmt::format("ns per {}", operation), own_traits(experiment, arm),
                    evidence.figure(experiment, fmt::format("cpu_ns_per_{}", operation), arm)));
            }
        }
    }
    return cells;
}

/// As much work in a slice as the loops do in 2 ms: `null` would do any amount at once.
std::vector<Experiment> own_harness_experiments(Extent) {
    Experiment switches{"pingpong", {}, "normaliser", {"null"}};
    switches.slice_rounds = 200'000;
    Experiment timers{"timers", {{"pending", "1000"}}, "normaliser", {"null"}};
    timers.slice_rounds = 60;
    return {switches, timers};
}

std::vector<ClaimCell> own_harness_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : own_harness_experiments(extent)) {
        cells.push_back(make_cell(
            "CPU per operation of null over the normaliser", own_traits(experiment, "null"),
            evidence.ratio(experiment, "cpu_ns_per_op", "null"), at_most_ns(2)));
    }
    return cells;
}

}  // namespace

std::vector<Claim> own_process_claims() {
    const std::string source = "loopbench, of its own loops";
    const std::string multiples =
        "a nanosecond is a fraction of the normaliser's iteration, measured in the same blocks; "
        "what that fraction is was measured once on one machine";
    return {
        {"own-switch", "a switch of tasks takes at most 10 ns, a fraction of anybody else's",
         source,
         "ping-pong by callback and by yield, 2 and 1,000 tasks, poll interval 61: at most 10 ns, "
         "and Asio's post at least 4 times, its awaitable post 10 times, asyncio's 100 times, that "
         "of OS threads 300 times as much",
         multiples + ". Asio and asyncio poll the kernel after each pass: the figures with poll "
                     "interval 1 stand beside them",
         own_switch_experiments, own_switch_cells, own_switch_beside, true},
        {"own-tasks", "a cancelled wait takes at most 60 ns, a whole task at most 40", source,
         "ping-pong by cancel, delivered as a value, and by spawn: CPU time per operation",
         multiples, own_task_experiments, own_task_cells, own_task_beside, true},
        {"own-timers", "timers are several times cheaper than libuv's and Asio's at a million",
         source,
         "start, cancel and expire, added up, at 1M pending timers: native-uv takes at least 8 "
         "times, native-asio 3 times as much; from 10k to 1M the cost at most doubles; lateness "
         "p99 is no worse than theirs",
         "the growth is that of multiples of the normaliser in cases measured one after the other",
         own_timer_experiments, own_timer_cells, own_timer_beside, true},
        {"own-harness", "the harness itself takes at most 2 ns an operation in process", source,
         "the reference null, whose work is done at once, in slices of as much work as loops do in "
         "2 ms: "
         "CPU time per operation",
         multiples, own_harness_experiments, own_harness_cells, nullptr, true},
    };
}

}  // namespace loopbench
