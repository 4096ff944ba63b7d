#include "results/margin.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "results/metrics.hpp"

namespace loopbench {
namespace {

struct NamedMargin {
    std::string_view metric;
    Margin margin;
};

/// Processor time scatters least; of the rates, what one arm can do beside a driver on another
/// processor scatters more (see `split_rate_margin`); of the percentiles, the rarer ones more.
constexpr Margin cpu_margin{.relative = 0.015};
constexpr Margin rate_margin{.relative = 0.03};
constexpr Margin split_rate_margin{.relative = 0.05};
constexpr Margin middle_margin{.relative = 0.10};
constexpr Margin tail_margin{.relative = 0.25};
/// Counted exactly, so that a fiftieth of a call an operation is a change of the code; less than
/// that is a matter of where a turn happened to end.
constexpr Margin count_margin{.relative = 0.01, .absolute = 0.02};
/// What says which load it was (arms must agree on it within 5%), and memory.
constexpr Margin other_margin{.relative = 0.05};

constexpr std::array default_margins = {
    NamedMargin{"cpu_ns_per_op", cpu_margin},
    NamedMargin{"cpu_ns_per_start", cpu_margin},
    NamedMargin{"cpu_ns_per_cancel", cpu_margin},
    NamedMargin{"cpu_ns_per_expire", cpu_margin},
    NamedMargin{"cpu_ns_per_timer", cpu_margin},
    NamedMargin{"cpu_ns_per_switch", cpu_margin},
    NamedMargin{"instructions_per_op", cpu_margin},
    NamedMargin{"cycles_per_op", cpu_margin},
    NamedMargin{"throughput", rate_margin},
    NamedMargin{"bytes_per_second", rate_margin},
    NamedMargin{"task_switches_per_second", rate_margin},
    NamedMargin{"latency_p50", middle_margin},
    NamedMargin{"latency_p90", middle_margin},
    NamedMargin{"latency_p99", tail_margin},
    NamedMargin{"latency_p999", tail_margin},
    NamedMargin{"latency_max", tail_margin},
    NamedMargin{"lateness_p50", middle_margin},
    NamedMargin{"lateness_p90", middle_margin},
    NamedMargin{"lateness_p99", tail_margin},
    NamedMargin{"lateness_max", tail_margin},
    NamedMargin{"syscalls_per_op", count_margin},
    NamedMargin{"allocations_per_op", count_margin},
    NamedMargin{"voluntary_switches_per_op", {.relative = 0.05, .absolute = 0.02}},
    NamedMargin{"involuntary_switches_per_op", {.relative = 0.05, .absolute = 0.02}},
};

}  // namespace

Margin default_margin(std::string_view metric, std::string_view placement) {
    const auto found = std::find_if(default_margins.begin(), default_margins.end(),
                                    [&](const auto& one) { return one.metric == metric; });
    Margin margin = found == default_margins.end() ? other_margin : found->margin;
    if (margin == rate_margin && placement == "split") margin = split_rate_margin;
    const MetricDefinition* definition = find_metric(metric);
    if (placement == "in-process" && definition && definition->unit == "ns") margin.absolute = 1;
    return margin;
}

Margin choose_margin(const Margins& given, std::string_view metric, std::string_view placement) {
    const auto found = given.find(metric);
    if (found != given.end()) return {.relative = found->second};
    return default_margin(metric, placement);
}

double log_margin(const Margin& margin, double level) {
    assert(level > 0);
    return std::log1p(std::max(margin.relative, margin.absolute / level));
}

}  // namespace loopbench
