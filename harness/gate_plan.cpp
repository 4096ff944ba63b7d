#include "harness/gate_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/descriptor_limit.hpp"
#include "harness/figures.hpp"
#include "harness/offered_rate.hpp"
#include "harness/prepare.hpp"
#include "harness/read_settings.hpp"
#include "harness/verdicts.hpp"

namespace loopbench {

std::vector<std::string> gated_metrics(const std::vector<std::string>& wanted, const CasePlan& plan,
                                       Placement placement) {
    if (!wanted.empty()) return judged_metrics(wanted, plan, placement);
    std::vector<std::string> metrics{plan.workload.main_metric};
    if (is_open_loop(plan.params)) {
        metrics.emplace_back("latency_p50");
    } else if (plan.workload.sockets) {
        metrics.emplace_back("throughput");
    }
    metrics.emplace_back(syscalls_by_block().metric);
    return metrics;
}

namespace {

void add_cells(GatePlan& plan, const CasePlan& pair, const Margins& margins) {
    std::vector<std::size_t>& indices = plan.of_pair.emplace_back();
    for (const Placement placement : pair.placements) {
        for (const std::string& metric : gated_metrics(plan.metrics, pair, placement)) {
            JudgedCell cell;
            cell.workload = pair.workload.name;
            cell.params = pair.params;
            cell.placement = placement;
            cell.metric = metric;
            cell.arm = pair.arms[1].spec.id;
            cell.reference = pair.arms[0].spec.id;
            // Who may not count system calls can be judged by the others all the same.
            cell.wanted = !plan.metrics.empty() || metric != syscalls_by_block().metric;
            cell.margin = choose_margin(margins, metric, name_of(placement));
            indices.push_back(plan.cells.size());
            plan.cells.push_back(std::move(cell));
        }
    }
}

}  // namespace

GatePlan plan_gate(const CommandLine& line, const Catalogue& catalogue, const Settings& settings,
                   ArmDirectory& arms, ReferenceFinder& references, const StopSignals& signals) {
    CommandLine filled = line;
    filled.flags.emplace("loops", "epoll");
    filled.flags.emplace("workloads", "echo");
    GatePlan plan;
    plan.metrics = read_metrics(line);
    const Margins margins = read_margins(line);
    for (const CaseWish& wish : expand_cases(wanted_workloads(filled), line.parameters())) {
        if (wish.workload.sockets) {
            check_driver_found(settings);
            raise_descriptor_limit(wish.params.at("connections").get<std::uint64_t>());
        }
        for (const ArmSpec& spec : wanted_loops(filled, catalogue)) {
            const ReadyArm& loop = arms.get(spec, "--loops");
            check_arm_fits(loop, "--loops", wish.workload, wish.params);
            CasePlan pair;
            pair.workload = wish.workload;
            pair.params = wish.params;
            pair.arms = {references.find(loop, wish), loop};
            pair.reference = 0;
            pair.placements = wanted_placements(line, wish, settings.processors);
            settle_offered_rate(pair, settings, signals);
            add_cells(plan, pair, margins);
            for (const std::size_t cell : plan.of_pair.back()) {
                pair.count_syscalls_by_block =
                    pair.count_syscalls_by_block ||
                    plan.cells[cell].metric == syscalls_by_block().metric;
            }
            plan.pairs.push_back(std::move(pair));
        }
    }
    if (plan.cells.empty()) {
        throw UsageError(
            fmt::format("--metrics={}: none of the workloads has it; see loopbench list "
                        "metrics",
                        line.value("metrics")));
    }
    return plan;
}

std::vector<JudgedCell*> cells_of(GatePlan& plan, std::size_t pair) {
    std::vector<JudgedCell*> cells;
    for (const std::size_t index : plan.of_pair.at(pair)) cells.push_back(&plan.cells[index]);
    return cells;
}

ReadyArm NormaliserFinder::find(const ReadyArm& loop, const CaseWish& wish) {
    const ArmSpec spec = parse_arm("--loops", wish.workload.usual_reference);
    catalogue_.program_of(spec, "--loops");
    if (spec.id == loop.spec.id) {
        throw UsageError(fmt::format(
            "--loops={}: that is what the others are measured by; give a loop", spec.id));
    }
    return arms_.get(spec, "--loops");
}

bool measure_sitting(GatePlan& plan, Campaign& campaign, const Settings& settings) {
    for (std::size_t i = 0; i < plan.pairs.size(); ++i) {
        PrecisionRule rule(plan.pairs[i], settings, 0);
        const bool go_on = campaign.measure(plan.pairs[i], settings, rule);
        const MeasuredCase& measured = campaign.cases().back();
        for (JudgedCell* cell : cells_of(plan, i)) {
            for (const PlacementSamples& samples : measured.placements) {
                if (samples.placement != cell->placement) continue;
                cell->cannot = why_not_gated(measured.plan, samples, 1, cell->metric);
                WorseRatios ratios =
                    worse_ratios(measured.plan, samples, cell->metric, cell->margin, 1);
                cell->level = ratios.level;
                cell->merged = ratios.merged;
                cell->log_ratios = std::move(ratios.log_ratios);
            }
        }
        if (!go_on) return false;
    }
    return true;
}

}  // namespace loopbench
