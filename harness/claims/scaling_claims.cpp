// Claims about what grows with the number of descriptors and of timers.

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "harness/claims/claim.hpp"

namespace loopbench {
namespace {

constexpr int active_connections = 10;

/// Ten active connections among more and more idle ones.
std::vector<Experiment> idle_steps(Extent extent) {
    const std::vector<int> idle =
        extent == Extent::quick ? std::vector{10, 900, 10'000} : std::vector{10, 100, 900, 10'000};
    std::vector<Experiment> steps;
    for (const int count : idle) {
        Experiment step{"echo",
                        {{"connections", std::to_string(active_connections + count)},
                         {"active", std::to_string(active_connections)}},
                        "bare",
                        {"epoll", "poll"}};
        // select holds descriptors below 1024 only.
        if (count < 1000) step.arms.emplace_back("select");
        if (count > 1000) step.cost = 2;
        steps.push_back(std::move(step));
    }
    return steps;
}

std::vector<GrowthPoint> growth_points(const std::vector<Experiment>& steps,
                                       const std::string& size_parameter,
                                       const std::function<Estimate(const Experiment&)>& figure) {
    std::vector<GrowthPoint> points;
    for (const Experiment& step : steps) {
        points.push_back({std::stod(step.params.at(size_parameter)), figure(step)});
    }
    return points;
}

/// From the first step to the last that the arm took part in: what grows by less than a line on
/// both logarithmic axes is not to be fitted by one.
Estimate growth_of_arm(const std::vector<Experiment>& steps, const std::string& arm,
                       const ClaimEvidence& evidence) {
    const Experiment* last = &steps.front();
    for (const Experiment& step : steps) {
        if (evidence.has(step, arm)) last = &step;
    }
    return quotient(evidence.ratio(*last, "cpu_ns_per_op", arm),
                    evidence.ratio(steps.front(), "cpu_ns_per_op", arm));
}

std::vector<ClaimCell> selector_cells(Extent extent, const ClaimEvidence& evidence) {
    const std::vector<Experiment> steps = idle_steps(extent);
    std::vector<ClaimCell> cells;
    const auto add = [&](const std::string& arm, const char* most, const ClaimedRange& range) {
        cells.push_back(
            make_cell(fmt::format("growth of CPU per round trip over bare, 10 to {} idle", most),
                      {{"arm", arm}}, growth_of_arm(steps, arm, evidence), range));
    };
    add("epoll", "10000", ClaimedRange::at_most(1.3));
    add("poll", "10000", ClaimedRange::at_least(3));
    add("select", "900", ClaimedRange::at_least(1.5));
    // The floor, which is on epoll too, by itself: the ratios to it would hide its own growth.
    cells.push_back(make_cell("growth of CPU per round trip, 10 to 10000 idle", {{"arm", "bare"}},
                              quotient(evidence.figure(steps.back(), "cpu_ns_per_op", "bare"),
                                       evidence.figure(steps.front(), "cpu_ns_per_op", "bare")),
                              ClaimedRange::at_most(2)));
    return cells;
}

std::vector<ClaimCell> selector_beside(Extent extent, const ClaimEvidence& evidence) {
    std::vector<ClaimCell> figures;
    for (const Experiment& step : idle_steps(extent)) {
        const int idle = std::stoi(step.params.at("connections")) - active_connections;
        for (const std::string& arm : step.arms) {
            figures.push_back(make_cell("CPU per round trip over bare",
                                        {{"arm", arm}, {"idle", std::to_string(idle)}},
                                        evidence.ratio(step, "cpu_ns_per_op", arm)));
        }
    }
    return figures;
}

const std::vector<std::string>& timer_arms() {
    static const std::vector<std::string> arms{"epoll", "uv", "asio", "asyncio", "uvloop"};
    return arms;
}

std::vector<Experiment> timer_steps(Extent extent) {
    std::vector<int> pending{1'000, 32'000};
    if (extent == Extent::standard) pending = {1'000, 10'000, 100'000};
    // A million take Python so long to start that this one case needs six minutes.
    if (extent == Extent::full) pending = {1'000, 10'000, 100'000, 1'000'000};
    std::vector<Experiment> steps;
    for (const int count : pending) {
        Experiment step{"timers", {{"pending", std::to_string(count)}}, "normaliser", timer_arms()};
        step.cost = count >= 1'000'000 ? 8 : count >= 32'000 ? 3 : 1.5;
        step.slice_ms = 5;  // many that stand close together: the processor's speed drifts
        steps.push_back(std::move(step));
    }
    return steps;
}

/// A processor's speed differs from case to case: in units of the yardstick it does not.
Estimate over_normaliser(const Experiment& step, const std::string& operation,
                         const std::string& arm, const ClaimEvidence& evidence) {
    return evidence.ratio(step, "cpu_ns_per_" + operation, arm);
}

std::vector<ClaimCell> timer_cells(Extent extent, const ClaimEvidence& evidence) {
    const std::vector<Experiment> steps = timer_steps(extent);
    const auto pending = [](const Experiment& step) {
        return std::stod(step.params.at("pending"));
    };
    const double least = pending(steps.front());
    const double most = pending(steps.back());
    // What log n grows by; a third of that growth at the least, half as much again at the most.
    const double predicted = std::log(most) / std::log(least);
    const ClaimedRange range = ClaimedRange::between(1 + (predicted - 1) / 3, 1.5 * predicted);
    std::vector<ClaimCell> cells;
    for (const std::string& arm : timer_arms()) {
        for (const char* operation : {"start", "cancel", "expire"}) {
            cells.push_back(make_cell(
                fmt::format("growth of CPU per timer, {:.0f} to {:.0f} pending", least, most),
                {{"arm", arm}, {"operation", operation}},
                quotient(over_normaliser(steps.back(), operation, arm, evidence),
                         over_normaliser(steps.front(), operation, arm, evidence)),
                range));
        }
    }
    return cells;
}

std::vector<ClaimCell> timer_beside(Extent extent, const ClaimEvidence& evidence) {
    const std::vector<Experiment> steps = timer_steps(extent);
    std::vector<ClaimCell> figures;
    for (const std::string& arm : timer_arms()) {
        for (const char* operation : {"start", "cancel", "expire"}) {
            const auto points = growth_points(steps, "pending", [&](const Experiment& step) {
                return over_normaliser(step, operation, arm, evidence);
            });
            figures.push_back(make_cell("growth by a line through all of them",
                                        {{"arm", arm}, {"operation", operation}},
                                        fitted_growth(points)));
        }
    }
    for (const Experiment& step : steps) {
        for (const std::string& arm : timer_arms()) {
            for (const char* operation : {"start", "cancel", "expire"}) {
                figures.push_back(make_cell("CPU per timer over the normaliser",
                                            {{"arm", arm},
                                             {"operation", operation},
                                             {"pending", step.params.at("pending")}},
                                            over_normaliser(step, operation, arm, evidence)));
            }
        }
    }
    return figures;
}

}  // namespace

std::vector<Claim> scaling_claims() {
    return {
        {"selector-scaling", "epoll scales with the number of descriptors, select and poll do not",
         "the manual pages and what is taught of C10K",
         "echo on 10 active connections among 10 to 10,000 idle ones (select: 900): how the CPU "
         "time per round trip grows. Confirmed when epoll grows by at most 30%, poll at least "
         "threefold and select by half or more, each over bare in the same blocks, and bare "
         "itself, which is on epoll, at most twofold; each of these refutes its part",
         "bare is followed across cases that were measured one after the other, while the speed of "
         "a shared machine drifts: hence its wide bound",
         idle_steps, selector_cells, selector_beside},
        {"timer-heap",
         "scheduled callbacks wait in a priority queue, at a cost that grows with log n",
         "what is taught of event loops",
         "start, cancel and expire together at 1k to 100k pending timers (with --full up to 1M), "
         "CPU time over the "
         "normaliser in the same blocks, and how it grows from the fewest to the most (beside "
         "that, the growth of a line fitted through all of them on logarithmic axes). Confirmed of "
         "a loop when it grows by a third of log n's growth to one and a half times as much; below "
         "it is flat, above it is dearer than a heap in cached memory would be",
         "what the cache holds grows dearer by itself as n grows; a Python loop's own cost per "
         "callback hides its heap's",
         timer_steps, timer_cells, timer_beside},
    };
}

}  // namespace loopbench
