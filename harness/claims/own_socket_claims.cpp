// What loopbench claims of its own loops on sockets, beside the floor and beside libuv and Asio.

#include <fmt/format.h>

#include <algorithm>

#include "harness/claims/claim.hpp"
#include "harness/claims/own_claims.hpp"

namespace loopbench {
namespace {

const std::string batched = "uring+send=request";

const std::vector<std::string>& libraries() {
    static const std::vector<std::string> arms{"uv", "asio", "native-uv", "native-asio",
                                               "asio-uring"};
    return arms;
}

/// A case with everybody in it, which serves several of the claims.
Experiment with_everybody(const std::string& workload, std::map<std::string, std::string> params,
                          double cost) {
    Experiment experiment{workload, std::move(params), "bare", own_loops()};
    experiment.arms.push_back(batched);
    experiment.arms.insert(experiment.arms.end(), libraries().begin(), libraries().end());
    experiment.cost = cost;
    experiment.also_over = {"epoll", "uring", "native-uv", "native-asio"};
    return experiment;
}

std::vector<Experiment> echo_grid(Extent extent) {
    const bool quick = extent == Extent::quick;
    std::vector<Experiment> all;
    for (const char* transport : {"unix", "tcp"}) {
        for (const int connections : quick ? std::vector{1, 64} : std::vector{1, 64, 512, 4096}) {
            for (const int size : quick ? std::vector{64} : std::vector{64, 4096}) {
                all.push_back(with_everybody("echo",
                                             {{"connections", std::to_string(connections)},
                                              {"size", std::to_string(size)},
                                              {"transport", transport}},
                                             connections > 512 ? 6 : 3));
            }
        }
    }
    return all;
}

std::vector<Experiment> fanin_grid(Extent extent) {
    struct Senders {
        const char* connections;
        const char* size;
        const char* stream;
    };
    std::vector<Senders> senders{{"256", "64", "0"}, {"16", "65536", "0"}};
    if (extent != Extent::quick) {
        senders.push_back({"256", "64", "65536"});
        senders.push_back({"16", "65536", "1048576"});
    }
    std::vector<Experiment> all;
    for (const char* transport : {"unix", "tcp"}) {
        for (const Senders& each : senders) {
            all.push_back(with_everybody("fanin",
                                         {{"connections", each.connections},
                                          {"size", each.size},
                                          {"stream", each.stream},
                                          {"transport", transport}},
                                         3));
        }
    }
    return all;
}

std::vector<Experiment> all_grids(Extent extent) {
    std::vector<Experiment> all = echo_grid(extent);
    for (Experiment& experiment : fanin_grid(extent)) all.push_back(std::move(experiment));
    return all;
}

int connections_of(const Experiment& experiment) {
    return std::stoi(experiment.params.at("connections"));
}

std::vector<ClaimCell> floor_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : echo_grid(extent)) {
        cells.push_back(make_cell(
            "CPU per round trip, epoll over bare", own_traits(experiment, "epoll"),
            evidence.ratio(experiment, "cpu_ns_per_op", "epoll"), ClaimedRange::at_most(1.03)));
    }
    return cells;
}

/// Of every library over each of our own.
void add_peers(std::vector<ClaimCell>& cells, const Experiment& experiment,
               const ClaimEvidence& evidence, double at_least) {
    for (const std::string& own : own_loops()) {
        for (const std::string& library : libraries()) {
            if (!is_expected(experiment, library, evidence)) continue;
            cells.push_back(make_cell(fmt::format("CPU per operation, {} over own", library),
                                      own_traits(experiment, own),
                                      evidence.ratio(experiment, "cpu_ns_per_op", library, own),
                                      ClaimedRange::at_least(at_least)));
        }
    }
}

std::vector<ClaimCell> peer_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : echo_grid(extent)) {
        add_peers(cells, experiment, evidence, connections_of(experiment) >= 8 ? 1 : 1 / 1.05);
    }
    return cells;
}

std::vector<ClaimCell> ring_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : echo_grid(extent)) {
        const int connections = connections_of(experiment);
        if (connections < 64) continue;
        const bool many = connections == 512 && experiment.params.at("transport") == "unix";
        cells.push_back(make_cell("CPU per round trip, uring over epoll",
                                  own_traits(experiment, "uring"),
                                  evidence.ratio(experiment, "cpu_ns_per_op", "uring", "epoll"),
                                  ClaimedRange::at_most(many ? 0.95 : 1)));
        cells.push_back(make_cell("system calls per round trip, fully batched",
                                  own_traits(experiment, batched),
                                  exact(evidence.figure(experiment, "syscalls_per_op", batched)),
                                  ClaimedRange::at_most(0.1)));
    }
    return cells;
}

std::vector<ClaimCell> ring_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : echo_grid(extent)) {
        cells.push_back(make_cell("CPU per round trip, fully batched over epoll",
                                  own_traits(experiment, batched),
                                  evidence.ratio(experiment, "cpu_ns_per_op", batched, "epoll")));
    }
    return cells;
}

std::vector<Experiment> form_experiments(Extent extent) {
    const bool quick = extent == Extent::quick;
    std::vector<Experiment> all;
    for (const char* transport : {"unix", "tcp"}) {
        for (const char* connections : quick ? std::vector{"64"} : std::vector{"1", "64", "512"}) {
            Experiment experiment{
                "echo",
                {{"connections", connections}, {"transport", transport}},
                "epoll",
                {"epoll+api=pull", "epoll+api=task", "uring", "uring+api=pull", "uring+api=task"}};
            experiment.cost = 2;
            experiment.also_over = {"uring"};
            all.push_back(std::move(experiment));
        }
    }
    return all;
}

std::vector<ClaimCell> form_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : form_experiments(extent)) {
        for (const std::string& own : own_loops()) {
            for (const char* form : {"pull", "task"}) {
                const std::string arm = fmt::format("{}+api={}", own, form);
                cells.push_back(make_cell(fmt::format("CPU per round trip, {} over push", form),
                                          own_traits(experiment, own),
                                          evidence.ratio(experiment, "cpu_ns_per_op", arm, own),
                                          ClaimedRange::at_most(1.08)));
            }
        }
    }
    return cells;
}

std::vector<ClaimCell> fanin_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : fanin_grid(extent)) {
        for (const std::string& own : own_loops()) {
            cells.push_back(make_cell("CPU per message, own over bare", own_traits(experiment, own),
                                      evidence.ratio(experiment, "cpu_ns_per_op", own),
                                      ClaimedRange::at_most(1.03)));
        }
        add_peers(cells, experiment, evidence, 1);
    }
    return cells;
}

Experiment adapted_timers() {
    Experiment experiment{"timers", {}, "native-uv", {"uv", "native-asio", "asio"}};
    experiment.cost = 3;
    experiment.also_over = {"native-asio"};
    return experiment;
}

std::vector<Experiment> adapter_experiments(Extent extent) {
    std::vector<Experiment> all = all_grids(extent);
    all.push_back(adapted_timers());
    return all;
}

/// An adapter over the library used directly.
ClaimCell adapter_cell(const Experiment& experiment, const std::string& library,
                       const ClaimEvidence& evidence, const ClaimedRange& range) {
    const std::string native = "native-" + library;
    return make_cell(fmt::format("CPU per operation, {} over {}", library, native),
                     own_traits(experiment, library),
                     evidence.ratio(experiment, "cpu_ns_per_op", library, native), range);
}

std::vector<ClaimCell> adapter_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : all_grids(extent)) {
        for (const char* library : {"uv", "asio"}) {
            if (!is_expected(experiment, library, evidence)) continue;
            cells.push_back(
                adapter_cell(experiment, library, evidence, ClaimedRange::between(0.97, 1.03)));
        }
    }
    return cells;
}

std::vector<ClaimCell> adapter_beside(Extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const char* library : {"uv", "asio"}) {
        cells.push_back(adapter_cell(adapted_timers(), library, evidence, {}));
    }
    return cells;
}

/// Each workload once; what is counted is counted in processes of its own.
std::vector<Experiment> allocation_experiments(Extent) {
    return {{"echo", {}, "bare", own_loops()},
            {"fanin", {}, "bare", own_loops()},
            {"timers", {{"pending", "10000"}}, "normaliser", own_loops()},
            {"pingpong", {{"variant", "yield"}}, "normaliser", own_loops()},
            {"pingpong", {{"variant", "cancel"}}, "normaliser", own_loops()},
            {"pingpong", {{"variant", "spawn"}}, "normaliser", own_loops()}};
}

std::vector<ClaimCell> allocation_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : allocation_experiments(extent)) {
        for (const std::string& own : own_loops()) {
            cells.push_back(make_cell("allocations per operation", own_traits(experiment, own),
                                      exact(evidence.figure(experiment, "allocations_per_op", own)),
                                      ClaimedRange::at_most(0)));
        }
    }
    return cells;
}

/// Beside the loop's, the workload has per timer the deadline, the storm it belongs to, and its
/// place in the order drawn (workloads/timers.hpp).
constexpr double workloads_bytes_per_timer = 24;

Experiment idle_connections() {
    Experiment experiment{"echo",
                          {{"connections", "10000"}, {"active", "64"}},
                          "bare",
                          {"epoll", "uring", "uv", "asio"}};
    experiment.cost = 4;
    experiment.blocks = 7;
    return experiment;
}

Experiment pending_timers() {
    Experiment experiment{
        "timers", {{"pending", "1000000"}}, "normaliser", {"epoll", "uring", "uv", "asio"}};
    experiment.cost = 6;
    experiment.blocks = 7;
    return experiment;
}

std::vector<Experiment> memory_experiments(Extent) {
    return {idle_connections(), pending_timers()};
}

Estimate less(Estimate estimate, double bytes) {
    if (estimate.value) *estimate.value -= bytes;
    if (estimate.ci95)
        estimate.ci95 = Interval{estimate.ci95->low - bytes, estimate.ci95->high - bytes};
    return estimate;
}

ClaimCell connection_cell(const std::string& arm, const ClaimEvidence& evidence,
                          const ClaimedRange& range) {
    return make_cell("bytes per idle connection", own_traits(idle_connections(), arm),
                     evidence.figure(idle_connections(), "rss_per_connection_bytes", arm), range);
}

ClaimCell timer_cell(const std::string& arm, const ClaimEvidence& evidence,
                     const ClaimedRange& range) {
    return make_cell("bytes per pending timer, less the workload's own",
                     own_traits(pending_timers(), arm),
                     less(evidence.figure(pending_timers(), "rss_per_timer_bytes", arm),
                          workloads_bytes_per_timer),
                     range);
}

std::vector<ClaimCell> memory_cells(Extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const std::string& own : own_loops()) {
        cells.push_back(connection_cell(own, evidence, ClaimedRange::at_most(256)));
        cells.push_back(timer_cell(own, evidence, ClaimedRange::at_most(64)));
    }
    return cells;
}

std::vector<ClaimCell> memory_beside(Extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const char* library : {"uv", "asio"}) {
        cells.push_back(connection_cell(library, evidence, {}));
        cells.push_back(timer_cell(library, evidence, {}));
    }
    return cells;
}

}  // namespace

std::vector<Claim> own_socket_claims() {
    const std::string source = "loopbench, of its own loops";
    const std::string grid =
        "echo, Unix sockets and TCP, 1 to 4,096 connections, 64 B and 4 KiB, in lockstep: ";
    const std::string limits =
        "on one machine; over TCP the kernel's share hides most of what loops differ by";
    return {
        {"own-floor", "epoll stands next to the floor", source,
         grid + "CPU time per round trip over bare at most 1.03", limits, echo_grid, floor_cells,
         nullptr, true},
        {"own-peers", "epoll and uring serve echo with less than libuv and Asio", source,
         grid + "less CPU time than each of them from 64 connections on, and with one at most 5% "
                "more",
         limits, echo_grid, peer_cells, nullptr, true},
        {"own-ring", "uring needs no more than epoll, and batched hardly any system call", source,
         grid + "uring over epoll at most 1 from 64 connections on, 0.95 at 512 on Unix sockets; "
                "with send=request at most 0.1 system calls per round trip",
         limits, echo_grid, ring_cells, ring_beside, true},
        {"own-forms", "reading by request and by coroutine costs little over being called", source,
         "echo of 64 B, forms pull and task over push of the same loop in the same blocks: CPU "
         "time per round trip at most 1.08",
         limits, form_experiments, form_cells, nullptr, true},
        {"own-fanin", "epoll and uring take in many senders at the floor's cost", source,
         "fan-in of 256 senders of 64 B and 16 of 64 KiB, in rounds and as streams: CPU time per "
         "message over bare at most 1.03, and no more than that of libuv and Asio",
         limits, fanin_grid, fanin_cells, nullptr, true},
        {"own-adapters", "the adapters cost their libraries nothing", source,
         "echo and fan-in, push: uv over native-uv and asio over native-asio within 3%",
         "timers are adapted, not native: they stand beside", adapter_experiments, adapter_cells,
         adapter_beside, true},
        {"own-allocations", "nothing is allocated in the steady state", source,
         "the four workloads, with tasks made and cancelled, too: calls of the allocator per "
         "operation, counted in processes of their own: 0",
         "the steady section only", allocation_experiments, allocation_cells, nullptr, true},
        {"own-memory", "an idle connection and a pending timer are small", source,
         "growth of the resident set: at most 256 B for each of 10,000 connections, at most 64 B "
         "for each of a million timers, less what the workload itself keeps of a timer",
         "the kernel's own memory for a socket is not in it", memory_experiments, memory_cells,
         memory_beside, true},
    };
}

}  // namespace loopbench
