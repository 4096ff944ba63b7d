#include "harness/prepare.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/descriptor_limit.hpp"
#include "harness/errors.hpp"
#include "harness/nearest.hpp"
#include "harness/sut_process.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

void check_keys(const ArmSpec& spec, std::string_view flag, const json& description) {
    std::vector<std::string> known;
    for (const json& key : description.value("keys", json::array())) {
        known.push_back(key.at("key").get<std::string>());
    }
    for (const auto& [key, value] : spec.keys) {
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        throw UsageError(fmt::format("{}={}: {} has no key '{}'; {}", flag, spec.id, spec.name, key,
                                     known.empty() ? "it takes none" : suggestion(key, known)));
    }
}

}  // namespace

ReadyArm describe_arm(const ArmSpec& spec, std::string_view flag, const Catalogue& catalogue,
                      const Settings& settings, const StopSignals& signals) {
    ReadyArm arm;
    arm.spec = spec;
    arm.program = catalogue.program_of(spec, flag);
    ChildOptions child;
    child.command = settings.sut_prefix;
    child.command.push_back(arm.program.string());
    SutProcess sut(spec, child, signals, settings.patience);
    sut.release();
    // Without keys first: then a key that it does not know can be told beside those that it does.
    arm.description = sut.describe({});
    check_keys(spec, flag, arm.description);
    try {
        if (!spec.keys.empty()) arm.description = sut.describe(spec.keys);
    } catch (const RefusedError& refused) {
        throw UsageError(
            fmt::format("{}={}: {}; {}", flag, spec.id, refused.what(), refused.remedy()));
    }
    sut.quit();
    if (!arm.description.value("available", true)) {
        throw UsageError(fmt::format("{}={}: it cannot work on this machine: {}; {}", flag, spec.id,
                                     arm.description.value("reason", "it does not say why"),
                                     arm.description.value("remedy", "choose another loop")));
    }
    return arm;
}

std::string why_not_offered(const ReadyArm& arm, const WorkloadInfo& workload, const json& params) {
    const auto offered = arm.description.value("workloads", std::vector<std::string>{});
    if (std::find(offered.begin(), offered.end(), workload.name) == offered.end()) {
        return fmt::format("does not offer the workload {}; it offers {}", workload.name,
                           fmt::join(offered, ", "));
    }
    const json capabilities = arm.description.value("capabilities", json::object());
    const json limit = capabilities.value("descriptor_limit", json());
    if (!workload.sockets || !limit.is_number_unsigned()) return "";
    const auto connections = params.at("connections").get<std::uint64_t>();
    const auto most = limit.get<std::uint64_t>();
    if (connections + descriptors_beside_connections <= most) return "";
    return fmt::format(
        "cannot hold --connections={}: it can watch descriptors below {} only; give at most "
        "--connections={}, or another loop",
        connections, most, most - descriptors_beside_connections);
}

void check_arm_fits(const ReadyArm& arm, std::string_view flag, const WorkloadInfo& workload,
                    const json& params) {
    const std::string why = why_not_offered(arm, workload, params);
    if (!why.empty()) throw UsageError(fmt::format("{}={}: it {}", flag, arm.spec.id, why));
}

void check_driver_found(const Settings& settings) {
    if (!settings.driver_program.empty()) return;
    throw UsageError(
        "loopbench-driver was not found beside loopbench; build or install it, or name "
        "its directory in LOOPBENCH_PATH");
}

}  // namespace loopbench
