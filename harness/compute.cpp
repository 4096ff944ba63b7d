#include "harness/compute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "harness/figures.hpp"
#include "harness/offered_rate.hpp"
#include "harness/pairing.hpp"
#include "results/metrics.hpp"
#include "results/statistics.hpp"

namespace loopbench {
namespace {

/// The blocks that are whole; of a run that was cut short before the first was, what there is.
std::vector<BlockTotals> totals_of(const PlacementSamples& samples, std::size_t arm) {
    const auto& blocks = samples.arms.at(arm).blocks;
    const bool any_whole = std::any_of(blocks.begin(), blocks.end(),
                                       [](const BlockSamples& block) { return block.whole(); });
    std::vector<BlockTotals> totals;
    for (const BlockSamples& block : blocks) {
        if (any_whole && !block.whole()) continue;
        totals.push_back(total(block));
        if (totals.back().slices == 0) totals.pop_back();
    }
    return totals;
}

std::string too_few_blocks(std::size_t blocks) {
    return fmt::format("{} block{}; a 95% interval needs at least {}", blocks,
                       blocks == 1 ? "" : "s", blocks_for_an_interval);
}

/// The median over blocks with its interval, or why one is missing.
MetricValue over_blocks(const MetricDefinition& metric, const std::vector<double>& values,
                        std::string_view missing) {
    if (values.empty()) return missing_metric_value(metric, std::string(missing));
    MetricValue value = make_metric_value(metric);
    value.n = values.size();
    value.median = median(values);
    value.ci95 = median_interval(values);
    if (!value.ci95) value.reason = too_few_blocks(values.size());
    return value;
}

/// What was counted once, in a process of its own.
MetricValue counted_apart(const MetricDefinition& metric, const CountedApart& counted) {
    if (!counted.per_operation) return missing_metric_value(metric, counted.reason);
    MetricValue value = make_metric_value(metric);
    value.median = counted.per_operation;
    value.n = 1;
    value.reason = "counted exactly in one process of its own: no interval";
    return value;
}

/// The shares of user and system time. The kernel samples them at its ticks, so only the total of
/// a second or more is worth something, and that once.
void add_tick_split(std::map<std::string, MetricValue>& metrics,
                    const std::vector<BlockTotals>& blocks) {
    double cpu_ns = 0;
    double operations = 0;
    double user = 0;
    double system = 0;
    for (const BlockTotals& block : blocks) {
        cpu_ns += block.cpu_ns.value_or(0);
        operations += block.operations;
        user += static_cast<double>(block.facts.user_ticks.value_or(0));
        system += static_cast<double>(block.facts.system_ticks.value_or(0));
    }
    constexpr double least_cpu_ns = 1e9;
    const auto put = [&](const char* name, double ticks) {
        const MetricDefinition& metric = *find_metric(name);
        if (cpu_ns < least_cpu_ns || user + system <= 0) {
            metrics[name] = missing_metric_value(
                metric, fmt::format("sampled at ticks: needs 1 s of processor time, there was "
                                    "{:.2g} s",
                                    cpu_ns / 1e9));
            return;
        }
        metrics[name] = make_metric_value(metric);
        metrics[name].median = cpu_ns / operations * ticks / (user + system);
        metrics[name].n = blocks.size();
        metrics[name].reason = "sampled at ticks over the whole run: no interval";
    };
    put("user_ns_per_op", user);
    put("system_ns_per_op", system);
}

/// Metrics in which two arms are set against one another: what work costs, and how fast it goes.
/// The others say what kind of load it was.
bool is_compared(std::string_view metric) {
    constexpr std::string_view compared[] = {
        "cpu_ns_per_op",     "throughput",        "bytes_per_second", "latency_p50",
        "latency_p90",       "latency_p99",       "latency_p999",     "cpu_ns_per_start",
        "cpu_ns_per_cancel", "cpu_ns_per_expire", "cpu_ns_per_timer", "cpu_ns_per_switch",
        "lateness_p50",      "lateness_p99",      "ops_per_turn",     "syscalls_per_op"};
    return std::find(std::begin(compared), std::end(compared), metric) != std::end(compared);
}

Comparison compare(const CasePlan& plan, const PlacementSamples& samples, const Figure& figure,
                   std::size_t arm) {
    Comparison comparison;
    comparison.workload = plan.workload.name;
    comparison.params = plan.params;
    comparison.placement = name_of(samples.placement);
    comparison.metric = figure.metric;
    comparison.arm = plan.arms[arm].spec.id;
    comparison.reference = plan.arms[*plan.reference].spec.id;
    comparison.verdict = "no verdict: not judged";
    const PairedValues values = pair_values(plan, samples, figure, arm, *plan.reference);
    if (values.arm.empty()) {
        comparison.reason = "no block in which both have this figure";
        return comparison;
    }
    const auto ratios = independent_log_ratios(values, 0);
    if (!ratios) {
        comparison.reason = "a value is 0 in some block";
        return comparison;
    }
    comparison.n = ratios->log_ratios.size();
    const RatioEstimate estimate = ratio_interval(ratios->log_ratios);
    comparison.ratio = estimate.ratio;
    comparison.ci95 = estimate.interval;
    if (!comparison.ci95) comparison.reason = too_few_blocks(comparison.n);
    return comparison;
}

std::optional<double> relative_half_width(const std::optional<double>& centre,
                                          const std::optional<Interval>& interval) {
    if (!centre || !interval || *centre == 0) return std::nullopt;
    return (interval->high - interval->low) / 2 / std::abs(*centre);
}

std::vector<double> values_of(const Figure& figure, const std::vector<BlockTotals>& blocks,
                              const nlohmann::json& params) {
    std::vector<double> values;
    for (const BlockTotals& block : blocks) {
        if (const auto value = figure.value(block, params)) values.push_back(*value);
    }
    return values;
}

}  // namespace

Case compute_case(const CasePlan& plan, const PlacementSamples& samples, std::size_t arm) {
    const ArmSamples& measured = samples.arms.at(arm);
    const std::vector<BlockTotals> blocks = totals_of(samples, arm);
    Case result;
    result.workload = plan.workload.name;
    result.params = plan.params;
    result.placement = name_of(samples.placement);
    result.arm = plan.arms.at(arm).spec.id;
    for (const Figure& figure : block_figures()) {
        if (!figure.belongs_to(plan.workload, plan.params)) continue;
        std::string_view missing = blocks.empty() ? "nothing was measured" : figure.missing;
        if (!plan.arms[arm].target.empty() && !figure.from_driver) missing = foreign_server;
        result.metrics[std::string(figure.metric)] = over_blocks(
            *find_metric(figure.metric), values_of(figure, blocks, plan.params), missing);
    }
    const MetricDefinition& syscalls = *find_metric("syscalls_per_op");
    result.metrics["syscalls_per_op"] =
        plan.count_syscalls_by_block
            ? over_blocks(syscalls, values_of(syscalls_by_block(), blocks, plan.params),
                          measured.syscalls.reason.empty() ? syscalls_by_block().missing
                                                           : measured.syscalls.reason)
            : counted_apart(syscalls, measured.syscalls);
    result.metrics["allocations_per_op"] =
        counted_apart(*find_metric("allocations_per_op"), measured.allocations);
    if (plan.arms[arm].target.empty()) {
        add_tick_split(result.metrics, blocks);
    }
    for (const BlockSamples& block : measured.blocks) {
        for (const SliceSample& slice : block.slices) {
            result.samples.push_back(to_json(slice, false));
        }
        result.blocks.push_back(to_json(block.counts));
    }
    return result;
}

std::vector<Comparison> compute_comparisons(const CasePlan& plan, const PlacementSamples& samples) {
    std::vector<Comparison> comparisons;
    if (!plan.reference) return comparisons;
    for (std::size_t arm = 0; arm < plan.arms.size(); ++arm) {
        if (arm == *plan.reference) continue;
        for (const Figure& figure : block_figures()) {
            const bool wanted = is_compared(figure.metric) ||
                                std::find(plan.judged.begin(), plan.judged.end(), figure.metric) !=
                                    plan.judged.end();
            if (wanted && figure.belongs_to(plan.workload, plan.params)) {
                comparisons.push_back(compare(plan, samples, figure, arm));
            }
        }
        if (plan.count_syscalls_by_block) {
            comparisons.push_back(compare(plan, samples, syscalls_by_block(), arm));
        }
    }
    return comparisons;
}

std::string main_metric(const CasePlan& plan, Placement placement) {
    // In an open loop the throughput was given.
    if (is_open_loop(plan.params)) return "latency_p50";
    const bool foreign = !plan.arms.front().target.empty();
    return placement == Placement::split || foreign ? "throughput" : plan.workload.main_metric;
}

std::optional<double> reached_precision(const CasePlan& plan, const PlacementSamples& samples) {
    const Figure& figure = *find_figure(main_metric(plan, samples.placement));
    if (!plan.reference) {
        const std::vector<double> values = values_of(figure, totals_of(samples, 0), plan.params);
        if (values.empty()) return std::nullopt;
        return relative_half_width(median(values), median_interval(values));
    }
    std::optional<double> worst = 0;
    for (std::size_t arm = 0; arm < plan.arms.size() && worst; ++arm) {
        if (arm == *plan.reference || !samples.arms[arm].failure.empty()) continue;
        const Comparison comparison = compare(plan, samples, figure, arm);
        const auto reached = relative_half_width(comparison.ratio, comparison.ci95);
        worst = reached ? std::optional(std::max(*worst, *reached)) : std::nullopt;
    }
    return worst;
}

}  // namespace loopbench
