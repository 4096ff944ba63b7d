#include "harness/verdicts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "harness/checks.hpp"
#include "harness/compute.hpp"
#include "harness/offered_rate.hpp"
#include "harness/pairing.hpp"
#include "results/statistics.hpp"
#include "results/verdict.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// Whether the work of an arm stands for what its library does: an adapter may have had to bring
/// the very operation along that the workload is about.
bool is_shared_queue(const CasePlan& plan, std::size_t arm) {
    const std::string& operation = plan.workload.central_operation;
    if (operation.empty()) return false;
    const json operations = plan.arms[arm].description.value("operations", json::object());
    return operations.value(operation, "native") == "emulated";
}

std::optional<double> operations_per_turn(const ArmSamples& arm) {
    double operations = 0;
    double turns = 0;
    for (const BlockSamples& block : arm.blocks) {
        const auto found = block.counts.counters.find("turns");
        if (found == block.counts.counters.end() || !found->second) continue;
        operations += static_cast<double>(block.counts.operations);
        turns += static_cast<double>(*found->second);
    }
    return turns > 0 ? std::optional(operations / turns) : std::nullopt;
}

/// In lockstep, arms that find different batches do not do the same work for an operation.
std::string unequal_batches(const CasePlan& plan, const PlacementSamples& samples,
                            std::size_t arm) {
    const auto mine = operations_per_turn(samples.arms[arm]);
    const auto other = operations_per_turn(samples.arms[*plan.reference]);
    if (!mine || !other) return "";
    if (std::min(*mine, *other) >= (1 - batch_tolerance) * std::max(*mine, *other)) return "";
    const std::string why = why_capped(plan, plan.arms[arm]);
    return fmt::format("unequal load, {:.3g} operations a turn against {:.3g}{}", *mine, *other,
                       why.empty() ? "" : ", " + why);
}

/// In split placement processor time an operation depends on how much there was to do: it can be
/// compared of arms that had no rest, and of arms that were offered the same.
std::string unequal_load(const CasePlan& plan, const PlacementSamples& samples, std::size_t arm) {
    if (is_open_loop(plan.params)) return "";
    constexpr double saturated = 0.95;
    for (const std::size_t one : {arm, *plan.reference}) {
        double cpu_ns = 0;
        double elapsed_ns = 0;
        for (const BlockSamples& block : samples.arms[one].blocks) {
            const BlockTotals totals = total(block);
            cpu_ns += totals.cpu_ns.value_or(0);
            elapsed_ns += totals.elapsed_ns;
        }
        if (cpu_ns >= saturated * elapsed_ns) continue;
        return fmt::format("{} was {:.0f}% busy", plan.arms[one].spec.id,
                           100 * cpu_ns / elapsed_ns);
    }
    return "";
}

bool is_processor_time(const std::string& metric) {
    return metric == "cpu_ns_per_op" || metric == "cpu_ns_per_switch";
}

/// Why the metric of a cell is void, or empty.
std::string why_void(const std::vector<Warning>& warnings, const std::string& cell,
                     const std::string& metric) {
    for (const Warning& warning : warnings) {
        if (warning.grade != Grade::voids || warning.cell != cell) continue;
        if (warning.metric && warning.metric != metric) continue;
        return warning.id == "generator_bound" ? "generator-bound" : warning.text;
    }
    return "";
}

/// A comparison in the table, with what is known of it.
struct TableCell {
    Comparison* comparison;
    Evidence evidence;
};

/// The cells of one case in one placement that can be judged; the others get their verdict here.
void collect_cells(std::vector<TableCell>& cells, ResultFile& result, const CasePlan& plan,
                   const PlacementSamples& samples, const std::vector<std::string>& metrics,
                   const Margins& margins) {
    const std::string placement(name_of(samples.placement));
    const auto judged = judged_metrics(metrics, plan, samples.placement);
    for (Comparison& comparison : result.comparisons) {
        if (comparison.workload != plan.workload.name || comparison.params != plan.params ||
            comparison.placement != placement ||
            comparison.reference != plan.arms[*plan.reference].spec.id ||
            std::find(judged.begin(), judged.end(), comparison.metric) == judged.end()) {
            continue;
        }
        const auto found =
            std::find_if(plan.arms.begin(), plan.arms.end(),
                         [&](const ReadyArm& one) { return one.spec.id == comparison.arm; });
        if (found == plan.arms.end()) continue;
        const auto arm = static_cast<std::size_t>(found - plan.arms.begin());
        comparison.verdict = why_no_verdict(plan, samples, arm, comparison.metric);
        if (!comparison.verdict.empty()) continue;
        const Margin margin = choose_margin(margins, comparison.metric, placement);
        const WorseRatios ratios = worse_ratios(plan, samples, comparison.metric, margin, arm);
        Evidence evidence;
        evidence.log_ratios = ratios.log_ratios;
        evidence.log_margin = ratios.level > 0 ? log_margin(margin, ratios.level) : 0;
        if (ratios.rare_costs) evidence.doubt = "rare costs";
        if (ratios.merged) {
            result.warnings.push_back(
                {Grade::note, "merged_blocks",
                 fmt::format("{}: the ratios of adjacent blocks to {} were correlated and were "
                             "merged two by two",
                             cell_name(plan.workload.name, comparison.arm, placement),
                             comparison.reference),
                 "give a longer --budget for a narrower interval", comparison.metric,
                 cell_name(plan.workload.name, comparison.arm, placement)});
        }
        cells.push_back({&comparison, std::move(evidence)});
    }
}

}  // namespace

WorseRatios worse_ratios(const CasePlan& plan, const PlacementSamples& samples,
                         const std::string& metric, const Margin& margin, std::size_t arm) {
    WorseRatios worse;
    const PairedValues values =
        pair_values(plan, samples, *find_figure(metric), arm, *plan.reference);
    if (values.arm.empty()) return worse;
    const double offset = default_margin(metric, name_of(samples.placement)).absolute;
    worse.level = median(values.reference) + offset;
    if (worse.level <= 0) return worse;
    worse.rare_costs = has_rare_costs(values.gaps, log_margin(margin, worse.level));
    auto ratios = independent_log_ratios(values, offset);
    if (!ratios) return worse;
    worse.merged = ratios->merged;
    worse.log_ratios = std::move(ratios->log_ratios);
    if (auto shown = independent_log_ratios(values, 0)) {
        worse.shown = std::move(shown->log_ratios);
    }
    if (find_metric(metric)->better == Better::higher) {
        for (double& ratio : worse.log_ratios) ratio = -ratio;
    }
    return worse;
}

std::string why_no_verdict(const CasePlan& plan, const PlacementSamples& samples, std::size_t arm,
                           const std::string& metric) {
    const std::size_t reference = *plan.reference;
    // Of this case alone: another one's may be of the same arm.
    const std::vector<Warning> warnings = check_samples(plan, samples);
    for (const std::size_t one : {arm, reference}) {
        if (!samples.arms[one].failure.empty()) {
            return fmt::format("no verdict: {} broke off", plan.arms[one].spec.id);
        }
        const std::string cell =
            cell_name(plan.workload.name, plan.arms[one].spec.id, name_of(samples.placement));
        const std::string why = why_void(warnings, cell, metric);
        if (!why.empty()) return "unclear: " + why;
    }
    if (is_shared_queue(plan, arm)) return "no verdict: shared queue";
    for (const std::size_t one : {arm, reference}) {
        const auto& deviations = samples.arms[one].deviations;
        if (deviations.empty()) continue;
        return fmt::format("unclear: not like for like: {}", fmt::join(deviations, ", "));
    }
    if (samples.placement == Placement::lockstep && plan.workload.sockets) {
        const std::string batches = unequal_batches(plan, samples, arm);
        if (!batches.empty()) return "unclear: " + batches;
    }
    if (samples.placement == Placement::split && is_processor_time(metric)) {
        const std::string load = unequal_load(plan, samples, arm);
        if (!load.empty()) return "unequal-load: " + load;
    }
    return "";
}

std::string why_not_gated(const CasePlan& plan, const PlacementSamples& samples, std::size_t arm,
                          const std::string& metric) {
    for (const std::size_t one : {arm, *plan.reference}) {
        const ArmSamples& measured = samples.arms[one];
        if (!measured.failure.empty()) {
            return fmt::format("{} broke off", plan.arms[one].spec.id);
        }
        if (!measured.deviations.empty()) {
            return fmt::format("not like for like: {}", fmt::join(measured.deviations, ", "));
        }
    }
    if (samples.placement == Placement::split && is_processor_time(metric)) {
        const std::string load = unequal_load(plan, samples, arm);
        if (!load.empty()) return "unequal-load: " + load;
    }
    const std::vector<Warning> warnings = check_samples(plan, samples);
    for (const std::size_t one : {arm, *plan.reference}) {
        const std::string cell =
            cell_name(plan.workload.name, plan.arms[one].spec.id, name_of(samples.placement));
        const std::string why = why_void(warnings, cell, metric);
        if (!why.empty()) return why;
    }
    if (metric == syscalls_by_block().metric && !samples.arms[arm].syscalls.reason.empty()) {
        return samples.arms[arm].syscalls.reason;
    }
    return "";
}

std::vector<std::string> judged_metrics(const std::vector<std::string>& wanted,
                                        const CasePlan& plan, Placement placement) {
    if (wanted.empty()) return {main_metric(plan, placement)};
    std::vector<std::string> judged;
    for (const std::string& metric : wanted) {
        const Figure* figure = find_figure(metric);
        if (figure != nullptr && figure->belongs_to(plan.workload, plan.params))
            judged.push_back(metric);
    }
    return judged;
}

void add_verdicts(ResultFile& result, const std::deque<MeasuredCase>& cases,
                  const std::vector<std::string>& metrics, const Margins& margins) {
    std::vector<TableCell> cells;
    for (const MeasuredCase& measured : cases) {
        for (const PlacementSamples& samples : measured.placements) {
            collect_cells(cells, result, measured.plan, samples, metrics, margins);
        }
    }
    std::vector<Evidence> evidence;
    for (const TableCell& cell : cells) evidence.push_back(cell.evidence);
    const std::vector<Judgement> judgements = judge(evidence);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        Comparison& comparison = *cells[i].comparison;
        comparison.verdict = judgements[i].verdict;
        if (!cells[i].evidence.doubt.empty()) continue;
        comparison.p = judgements[i].p;
        comparison.adjusted_p = judgements[i].adjusted_p;
        if (const auto& adjusted = judgements[i].adjusted) {
            const bool turned = find_metric(comparison.metric)->better == Better::higher;
            comparison.adjusted_ci =
                turned ? Interval{std::exp(-adjusted->high), std::exp(-adjusted->low)}
                       : Interval{std::exp(adjusted->low), std::exp(adjusted->high)};
        }
    }
}

}  // namespace loopbench
