#include "harness/compose.hpp"

#include <algorithm>
#include <chrono>

#include "harness/build_info.hpp"
#include "harness/checks.hpp"
#include "harness/compute.hpp"
#include "harness/environment.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

std::vector<int> cpus_of(const CasePlan& plan, const Settings& settings) {
    std::vector<int> cpus{settings.processors.sut};
    if (plan.workload.sockets && settings.processors.driver) {
        cpus.push_back(*settings.processors.driver);
    }
    return cpus;
}

/// One plan with the arms of all, each once, and with sockets if any has them.
CasePlan together(const std::vector<CasePlan>& plans) {
    CasePlan all;
    for (const CasePlan& plan : plans) {
        if (all.workload.name.empty() || plan.workload.sockets) all.workload = plan.workload;
        for (const ReadyArm& arm : plan.arms) {
            const bool known =
                std::any_of(all.arms.begin(), all.arms.end(),
                            [&](const ReadyArm& other) { return other.spec.id == arm.spec.id; });
            if (!known) all.arms.push_back(arm);
        }
    }
    return all;
}

/// What a foreign server is known by.
json description_of(const ReadyArm& arm) {
    return arm.target.empty() ? arm.description : json{{"name", "foreign"}, {"target", arm.target}};
}

}  // namespace

ResultFile compose_head(const std::vector<CasePlan>& plans, const Settings& settings) {
    const CasePlan all = together(plans);
    ResultFile result;
    result.created = utc_timestamp(std::chrono::system_clock::now());
    result.loopbench = {build_version(), build_commit(), build_compiler(), build_flags()};
    result.environment = read_environment();
    result.plan.seed = settings.seed;
    result.plan.cpus = cpus_of(all, settings);
    result.plan.further = {{"budget_s", static_cast<double>(settings.budget.count()) / 1e9},
                           {"precision", settings.precision},
                           {"slice_rounds", settings.slice_rounds},
                           {"sut_prefix", settings.sut_prefix},
                           {"driver_prefix", settings.driver_prefix},
                           {"placements", json::array()}};
    for (const ReadyArm& arm : all.arms) {
        result.arms.push_back({arm.spec.id, description_of(arm)});
    }
    result.warnings = check_conditions(all, settings);
    return result;
}

void compose_figures(ResultFile& result, const CasePlan& plan,
                     const std::vector<PlacementSamples>& measured) {
    json& placements = result.plan.further["placements"];
    for (const PlacementSamples& samples : measured) {
        placements.push_back({{"workload", plan.workload.name},
                              {"params", plan.params},
                              {"placement", name_of(samples.placement)},
                              {"planned_blocks", samples.shape.blocks},
                              {"blocks", samples.whole_blocks()},
                              {"slices", samples.shape.slices},
                              {"least_slices", samples.least_slices()},
                              {"slice_ms", static_cast<double>(samples.slice.count()) / 1e6},
                              {"stopped", samples.stopped}});
        if (!plan.offered_rate.is_null()) placements.back()["offered_rate"] = plan.offered_rate;
        result.plan.blocks =
            std::max(result.plan.blocks, static_cast<std::size_t>(samples.whole_blocks()));
        result.plan.slices =
            std::max(result.plan.slices, static_cast<std::size_t>(samples.shape.slices));
        result.plan.slice_ms = static_cast<double>(samples.slice.count()) / 1e6;
        for (std::size_t arm = 0; arm < plan.arms.size(); ++arm) {
            Case one = compute_case(plan, samples, arm);
            if (const auto total = samples.arms[arm].syscalls.total) {
                placements.back()["syscalls_in_all"][one.arm] = *total;
            }
            result.cases.push_back(std::move(one));
        }
        for (Comparison& comparison : compute_comparisons(plan, samples)) {
            result.comparisons.push_back(std::move(comparison));
        }
        for (Warning& warning : check_samples(plan, samples)) {
            result.warnings.push_back(std::move(warning));
        }
    }
}

}  // namespace loopbench
