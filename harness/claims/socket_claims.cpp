// Claims about uvloop's input and output, over asyncio's default loop and over libuv itself.

#include <fmt/format.h>

#include "harness/claims/claim.hpp"

namespace loopbench {
namespace {

using Params = std::map<std::string, std::string>;

// Both with the library's own buffer, and with the same class: then both read alike.
const std::string asyncio = "asyncio+protocol=plain";
const std::string uvloop = "uvloop+protocol=plain";

struct SocketGrid {
    std::vector<std::string> workloads;
    std::vector<int> connections;
    std::vector<int> sizes;
    std::vector<std::string> transports;
    std::vector<std::string> apis;
};

void add_cases(std::vector<Params>& cases, std::vector<std::string>& workloads,
               const SocketGrid& grid) {
    for (const std::string& workload : grid.workloads) {
        for (const std::string& transport : grid.transports) {
            for (const std::string& api : grid.apis) {
                for (const int connections : grid.connections) {
                    for (const int size : grid.sizes) {
                        workloads.push_back(workload);
                        cases.push_back({{"connections", std::to_string(connections)},
                                         {"size", std::to_string(size)},
                                         {"transport", transport},
                                         {"api", api}});
                    }
                }
            }
        }
    }
}

std::vector<SocketGrid> grids(Extent extent) {
    switch (extent) {
        case Extent::quick:
            return {{{"echo"}, {1, 64, 512}, {64}, {"unix"}, {"push"}},
                    {{"echo"}, {64}, {16384}, {"tcp"}, {"push"}},
                    {{"fanin"}, {64}, {1024}, {"unix"}, {"push"}}};
        case Extent::full:
            return {{{"echo", "fanin"},
                     {1, 64, 512, 2048},
                     {64, 1024, 16384, 102400},
                     {"unix", "tcp"},
                     {"push", "pull"}}};
        default:
            return {{{"echo"}, {1, 64, 512, 2048}, {64, 16384}, {"unix"}, {"push"}},
                    {{"echo"}, {1, 64}, {64, 102400}, {"tcp"}, {"push"}},
                    {{"echo"}, {64}, {1024}, {"unix", "tcp"}, {"pull"}},
                    {{"fanin"}, {64, 512}, {64, 16384}, {"unix"}, {"push"}}};
    }
}

Experiment over_uvloop(const std::string& workload, const Params& params,
                       const std::string& placement) {
    // Large rounds take as long as many blocks of small ones.
    const double bytes = std::stod(params.at("connections")) * std::stod(params.at("size"));
    return {workload, params, uvloop, {asyncio}, placement, bytes > 4e6 ? 2.5 : 1};
}

/// The same with one buffer that is read into again and again, which is what asyncio recommends to
/// those who care.
Experiment buffered_experiment() {
    return {"echo", {{"connections", "64"}, {"size", "64"}}, "uvloop", {"asyncio"}};
}

std::vector<Experiment> io_experiments(Extent extent) {
    std::vector<Params> cases;
    std::vector<std::string> workloads;
    for (const SocketGrid& grid : grids(extent)) add_cases(cases, workloads, grid);
    std::vector<Experiment> all;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        all.push_back(over_uvloop(workloads[i], cases[i], "lockstep"));
    }
    // Throughput, where load is high.
    std::vector<Params> split;
    std::vector<std::string> split_workloads;
    const std::vector<int> sizes =
        extent == Extent::full ? std::vector{64, 1024, 16384, 102400} : std::vector{64};
    add_cases(split, split_workloads, {{"echo"}, {64}, sizes, {"unix"}, {"push"}});
    for (std::size_t i = 0; i < split.size(); ++i) {
        all.push_back(over_uvloop(split_workloads[i], split[i], "split"));
    }
    return all;
}

std::map<std::string, std::string> traits_of(const Experiment& experiment) {
    std::map<std::string, std::string> traits = experiment.params;
    traits["workload"] = experiment.workload;
    traits["placement"] = experiment.placement;
    return traits;
}

std::vector<Experiment> all_io_experiments(Extent extent) {
    std::vector<Experiment> all = io_experiments(extent);
    if (extent != Extent::quick) all.push_back(buffered_experiment());
    return all;
}

std::vector<ClaimCell> io_beside(Extent extent, const ClaimEvidence& evidence) {
    if (extent == Extent::quick) return {};
    return {make_cell("CPU per operation with BufferedProtocol, asyncio over uvloop",
                      traits_of(buffered_experiment()),
                      evidence.ratio(buffered_experiment(), "cpu_ns_per_op", "asyncio"))};
}

std::vector<ClaimCell> io_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : io_experiments(extent)) {
        const bool split = experiment.placement == "split";
        if (split && evidence.generator_bound(experiment, "throughput", asyncio)) continue;
        const Estimate slower = split ? inverse(evidence.ratio(experiment, "throughput", asyncio))
                                      : evidence.ratio(experiment, "cpu_ns_per_op", asyncio);
        cells.push_back(make_cell(
            split ? "throughput, uvloop over asyncio" : "CPU per operation, asyncio over uvloop",
            traits_of(experiment), slower, ClaimedRange::between(2, 5)));
    }
    return cells;
}

/// All of the connections active, at more and more of them.
std::vector<Experiment> scaling_steps(Extent extent, const std::string& transport) {
    std::vector<Experiment> steps;
    const std::vector<int> connections =
        extent == Extent::quick ? std::vector{64, 512, 2048} : std::vector{64, 256, 1024, 4096};
    for (const int count : connections) {
        Experiment step = over_uvloop("echo",
                                      {{"connections", std::to_string(count)},
                                       {"size", "64"},
                                       {"transport", transport},
                                       {"api", "push"}},
                                      "lockstep");
        if (count > 1000) step.cost = 3;
        steps.push_back(std::move(step));
    }
    return steps;
}

std::vector<std::string> scaling_transports(Extent extent) {
    return extent == Extent::full ? std::vector<std::string>{"unix", "tcp"}
                                  : std::vector<std::string>{"unix"};
}

std::vector<Experiment> scaling_experiments(Extent extent) {
    std::vector<Experiment> all;
    for (const std::string& transport : scaling_transports(extent)) {
        for (Experiment& step : scaling_steps(extent, transport)) all.push_back(std::move(step));
    }
    return all;
}

std::vector<ClaimCell> scaling_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const std::string& transport : scaling_transports(extent)) {
        std::vector<GrowthPoint> points;
        for (const Experiment& step : scaling_steps(extent, transport)) {
            points.push_back({std::stod(step.params.at("connections")),
                              evidence.ratio(step, "cpu_ns_per_op", asyncio)});
        }
        cells.push_back(make_cell("growth of asyncio over uvloop with connections",
                                  {{"transport", transport}}, fitted_growth(points),
                                  ClaimedRange::at_least(1.1)));
    }
    return cells;
}

std::vector<ClaimCell> scaling_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> figures;
    for (const Experiment& step : scaling_experiments(extent)) {
        figures.push_back(make_cell("CPU per operation, asyncio over uvloop",
                                    {{"connections", step.params.at("connections")},
                                     {"transport", step.params.at("transport")}},
                                    evidence.ratio(step, "cpu_ns_per_op", asyncio)));
    }
    return figures;
}

std::vector<Experiment> overhead_experiments(Extent extent) {
    std::vector<Experiment> all;
    const std::vector<int> connections = extent == Extent::quick      ? std::vector{64}
                                         : extent == Extent::standard ? std::vector{1, 64}
                                                                      : std::vector{1, 64, 512};
    for (const char* transport : {"unix", "tcp"}) {
        for (const int count : connections) {
            all.push_back(
                {"echo",
                 {{"connections", std::to_string(count)}, {"size", "64"}, {"transport", transport}},
                 "native-uv",
                 {uvloop, "uv"},
                 "lockstep",
                 1.2});
        }
    }
    return all;
}

std::vector<ClaimCell> overhead_cells(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> cells;
    for (const Experiment& experiment : overhead_experiments(extent)) {
        Params traits = experiment.params;
        traits.erase("size");
        const auto add = [&](const char* figure, const Estimate& estimate,
                             const ClaimedRange& range) {
            traits["figure"] = figure;
            cells.push_back(make_cell(figure, traits, estimate, range));
        };
        const auto cpu = [&](const std::string& arm) {
            return evidence.ratio(experiment, "cpu_ns_per_op", arm);
        };
        const auto calls = [&](const std::string& arm) {
            return evidence.figure(experiment, "syscalls_per_op", arm);
        };
        add("CPU per operation, uvloop over libuv", cpu(uvloop), ClaimedRange::at_least(1.05));
        add("CPU per operation, libuv behind a C++ interface over libuv", cpu("uv"),
            ClaimedRange::at_most(1.1));
        add("system calls per operation, uvloop over libuv",
            exact_quotient(calls(uvloop), calls("native-uv")), ClaimedRange::at_most(1.1));
    }
    return cells;
}

}  // namespace

std::vector<Claim> socket_claims() {
    return {
        {"uvloop-io", "uvloop is 2-5x faster than asyncio's default loop under high load",
         "what is taught of asyncio, after uvloop's own description (2-4x)",
         "echo and fan-in in asyncio's own idiom, push with the plain Protocol: CPU time per "
         "operation in lockstep, and in split placement the throughput where the load generator "
         "is not the limit. Confirmed when 9 of 10 ratios lie within 2 and 5, exceeded when above, "
         "refuted when below",
         "one processor's worth of server over the loopback network; the Python and uvloop of this "
         "machine; the work of an application, which is the same under both, is left out. "
         "asyncio's plain Protocol reads into a new "
         "object of 256 KiB each time; what is left of the ratio with a BufferedProtocol stands "
         "beside",
         all_io_experiments, io_cells, io_beside},
        {"uvloop-scaling", "uvloop scales better than asyncio with many sockets",
         "what is taught of asyncio",
         "the ratio of CPU time per round trip, asyncio over uvloop, from 64 to 4096 connections "
         "that are all active: confirmed when a line through it grows by a tenth or more, refuted "
         "when surely by less",
         "connections are all active; many idle ones are what selector-scaling is about",
         scaling_experiments, scaling_cells, scaling_beside},
        {"uvloop-overhead", "what uvloop costs over libuv itself is Python",
         "reasoning from how uvloop is made",
         "echo by uvloop, by libuv behind this project's C++ interface, and by libuv alone: "
         "confirmed when uvloop asks the kernel as often as libuv alone (10%), the C++ interface "
         "costs at most 10%, and uvloop costs at least 5% more than libuv alone. Refuted when it "
         "is "
         "no dearer, or asks the kernel more often",
         "uvloop brings the libuv that its package was built with, which may be another version "
         "(see the arms' descriptions)",
         overhead_experiments, overhead_cells},
    };
}

}  // namespace loopbench
