#include "harness/campaign.hpp"
#include "harness/catalogue.hpp"
#include "harness/commands.hpp"
#include "harness/descriptor_limit.hpp"
#include "harness/errors.hpp"
#include "harness/offered_rate.hpp"
#include "harness/prepare.hpp"
#include "harness/read_settings.hpp"
#include "harness/result_output.hpp"

namespace loopbench {
namespace {

/// The arm, and the reference if there is one.
struct WantedArm {
    ArmSpec spec;
    std::string_view flag;
};

std::vector<WantedArm> wanted_arms(const CommandLine& line) {
    std::vector<WantedArm> arms{{parse_arm("--loop", line.required("loop", "epoll")), "--loop"}};
    if (!line.has("reference")) return arms;
    arms.push_back({parse_arm("--reference", line.value("reference")), "--reference"});
    // Two arms of one name could not be told apart in a result.
    if (arms[1].spec.id == arms[0].spec.id) {
        throw UsageError("--reference=" + arms[1].spec.id +
                         ": that is the loop itself; choose another arm");
    }
    return arms;
}

}  // namespace

int run_command(const CommandLine& line) {
    const Catalogue catalogue = Catalogue::of_this_process();
    const std::vector<WantedArm> wanted = wanted_arms(line);
    CasePlan plan;
    plan.workload = find_workload("--workload", line.required("workload", "echo"));
    plan.params = resolve_parameters(plan.workload, line.parameters());
    const Settings settings = read_settings(line, catalogue);
    plan.placements = choose_placements(
        placement_with_rate(line.value("placement"), plan.params, settings.processors),
        plan.workload.sockets, settings.processors);
    if (wanted.size() > 1 && !settings.listen.empty() && !settings.listen.ends_with(":0")) {
        throw UsageError("--listen=" + settings.listen +
                         ": two arms cannot listen there at once; give port 0");
    }
    for (const WantedArm& arm : wanted) catalogue.program_of(arm.spec, arm.flag);
    check_output("--json", line.value("json"));
    if (plan.workload.sockets) {
        check_driver_found(settings);
        raise_descriptor_limit(plan.params.at("connections").get<std::uint64_t>());
    }

    const StopSignals signals;
    for (const WantedArm& arm : wanted) {
        plan.arms.push_back(describe_arm(arm.spec, arm.flag, catalogue, settings, signals));
        check_arm_fits(plan.arms.back(), arm.flag, plan.workload, plan.params);
    }
    settle_offered_rate(plan, settings, signals);
    if (wanted.size() > 1) plan.reference = 1;
    return measure_one_case(line, plan, settings, signals);
}

}  // namespace loopbench
