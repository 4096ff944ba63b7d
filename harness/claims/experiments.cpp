#include "harness/claims/experiments.hpp"

#include <fmt/format.h>

#include "harness/descriptor_limit.hpp"
#include "harness/errors.hpp"
#include "harness/prepare.hpp"

namespace loopbench {
namespace {

/// The arms that are to be had; `missing` receives why others are not.
std::vector<ArmSpec> present_arms(const Experiment& experiment, ArmDirectory& arms,
                                  std::string& missing) {
    std::vector<ArmSpec> present;
    for (const std::string& id : experiment.arms) {
        const ArmSpec spec = parse_arm("--loops", id);
        try {
            arms.get(spec, "--loops");
            present.push_back(spec);
        } catch (const UsageError& error) {
            missing = error.what();
        } catch (const ProcessError& error) {
            missing = fmt::format("{}: {}", id, error.what());
        }
    }
    return present;
}

CasePlan plan_experiment(const Experiment& experiment, ArmDirectory& arms,
                         const Settings& settings) {
    const WorkloadInfo& workload = find_workload("--workload", experiment.workload);
    const CaseWish wish{workload, resolve_parameters(workload, experiment.params)};
    std::string missing;
    const std::vector<ArmSpec> loops = present_arms(experiment, arms, missing);
    if (loops.empty()) throw UsageError(missing);
    CasePlan plan = plan_case(wish, loops, parse_arm("--reference", experiment.reference), arms);
    plan.placements = choose_placements(workload.sockets ? experiment.placement : "",
                                        workload.sockets, settings.processors);
    if (workload.sockets) {
        raise_descriptor_limit(plan.params.at("connections").get<std::uint64_t>());
        plan.judged = {"cpu_ns_per_op", "throughput"};
    }
    return plan;
}

}  // namespace

ExperimentPlans plan_experiments(const std::vector<const Claim*>& claims, Extent extent,
                                 ArmDirectory& arms, const Settings& settings) {
    ExperimentPlans plans;
    std::set<std::string> known;
    for (const Claim* claim : claims) {
        for (const Experiment& experiment : claim->experiments(extent)) {
            const std::string key = experiment.key();
            if (!known.insert(key).second) continue;
            try {
                plans.planned.push_back(
                    {key, plan_experiment(experiment, arms, settings), experiment});
            } catch (const UsageError& error) {
                plans.skipped[key] = error.what();
            } catch (const ProcessError& error) {
                plans.skipped[key] = fmt::format("{}: {}", error.who(), error.what());
            }
        }
    }
    return plans;
}

}  // namespace loopbench
