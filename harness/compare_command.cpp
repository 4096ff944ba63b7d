#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "harness/campaign.hpp"
#include "harness/commands.hpp"
#include "harness/compare_report.hpp"
#include "harness/compose.hpp"
#include "harness/descriptor_limit.hpp"
#include "harness/figures.hpp"
#include "harness/matrix.hpp"
#include "harness/offered_rate.hpp"
#include "harness/prepare.hpp"
#include "harness/read_settings.hpp"
#include "harness/report.hpp"
#include "harness/verdicts.hpp"

namespace loopbench {
namespace {

/// The cases of the command line, each with the arms that offer it.
std::vector<CasePlan> plan_cases(const CommandLine& line, const Catalogue& catalogue,
                                 const Settings& settings, const StopSignals& signals,
                                 const std::vector<std::string>& metrics) {
    const std::vector<CaseWish> wishes = expand_cases(wanted_workloads(line), line.parameters());
    const std::vector<ArmSpec> loops = wanted_loops(line, catalogue);
    ArmDirectory arms(catalogue, settings, signals);
    std::vector<CasePlan> plans;
    for (const CaseWish& wish : wishes) {
        const ArmSpec reference =
            parse_arm("--reference", line.value("reference", wish.workload.usual_reference));
        catalogue.program_of(reference, "--reference");
        CasePlan plan = plan_case(wish, loops, reference, arms);
        plan.placements = wanted_placements(line, wish, settings.processors);
        plan.judged = metrics;
        plan.count_syscalls_by_block =
            std::find(metrics.begin(), metrics.end(), syscalls_by_block().metric) != metrics.end();
        if (wish.workload.sockets) {
            check_driver_found(settings);
            raise_descriptor_limit(plan.params.at("connections").get<std::uint64_t>());
        }
        settle_offered_rate(plan, settings, signals);
        plans.push_back(std::move(plan));
    }
    return plans;
}

/// How many ratios the table will judge.
std::size_t count_cells(const std::vector<CasePlan>& plans,
                        const std::vector<std::string>& metrics) {
    std::size_t cells = 0;
    for (const CasePlan& plan : plans) {
        for (const Placement placement : plan.placements) {
            cells += (plan.arms.size() - 1) * judged_metrics(metrics, plan, placement).size();
        }
    }
    return cells;
}

}  // namespace

int compare_command(const CommandLine& line) {
    const Catalogue catalogue = Catalogue::of_this_process();
    const Settings settings = read_settings(line, catalogue);
    const std::vector<std::string> metrics = read_metrics(line);
    const Margins margins = read_margins(line);
    check_output("--json", line.value("json"));
    const StopSignals signals;
    const std::vector<CasePlan> plans = plan_cases(line, catalogue, settings, signals, metrics);
    const std::size_t cells = count_cells(plans, metrics);
    if (cells == 0) {
        throw UsageError(
            fmt::format("--metrics={}: none of the workloads has it; see loopbench list "
                        "metrics",
                        line.value("metrics")));
    }
    fmt::print(stderr, "{}", format_plan(plans, cells, settings));

    Campaign campaign(line, compose_head(plans, settings), settings, signals);
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < plans.size(); ++i) {
        // What one case overdraws its budget by, the next has less.
        Settings own = settings;
        const auto end = begin + static_cast<int>(i + 1) * settings.budget;
        own.budget = std::min(settings.budget,
                              std::chrono::nanoseconds(end - std::chrono::steady_clock::now()));
        PrecisionRule rule(plans[i], settings, cells);
        if (!campaign.measure(plans[i], own, rule)) break;
    }
    add_verdicts(campaign.result(), campaign.cases(), metrics, margins);
    fmt::print("{}", format_comparison(campaign.result(), campaign.cases(), metrics));
    std::fflush(stdout);
    fmt::print(stderr, "{}", format_warnings(campaign.result()));
    campaign.finish();
    return campaign.status();
}

}  // namespace loopbench
