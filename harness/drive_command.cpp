#include <chrono>

#include "harness/address.hpp"
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

int drive_command(const CommandLine& line) {
    const Catalogue catalogue = Catalogue::of_this_process();
    CasePlan plan;
    ReadyArm server;
    server.target = read_address("target", line.required("target", "127.0.0.1:7"));
    server.spec.id = server.target;
    server.spec.name = "foreign";
    plan.workload = find_workload("--workload", line.required("workload", "echo"));
    if (!plan.workload.sockets) {
        throw UsageError("--workload=" + plan.workload.name +
                         ": it has no sockets to drive; give echo or fanin");
    }
    std::map<std::string, std::string> given = line.parameters();
    const bool is_unix = server.target.starts_with("unix:");
    given["transport"] = is_unix ? "unix" : "tcp";
    if (line.has("transport") && line.value("transport") != given["transport"]) {
        throw UsageError("--transport=" + line.value("transport") + ": the target is " +
                         server.target + "; leave the flag away");
    }
    plan.params = resolve_parameters(plan.workload, given);
    const Settings settings = read_settings(line, catalogue);
    const bool alone = !settings.processors.driver;
    plan.placements =
        choose_placements(placement_with_rate(line.value("placement", alone ? "lockstep" : "split"),
                                              plan.params, settings.processors),
                          true, settings.processors);
    plan.arms.push_back(std::move(server));
    check_output("--json", line.value("json"));
    check_driver_found(settings);
    raise_descriptor_limit(plan.params.at("connections").get<std::uint64_t>());

    const StopSignals signals;
    settle_offered_rate(plan, settings, signals);
    return measure_one_case(line, plan, settings, signals);
}

}  // namespace loopbench
