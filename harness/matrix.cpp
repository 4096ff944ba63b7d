#include "harness/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/errors.hpp"
#include "harness/offered_rate.hpp"
#include "harness/prepare.hpp"

namespace loopbench {

std::vector<std::string> split_list(std::string_view flag, const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        std::string word = text.substr(start, comma - start);
        if (word.empty()) {
            throw UsageError(
                fmt::format("{}={}: a word is missing; give words with single commas "
                            "between, such as a,b",
                            flag, text));
        }
        if (std::find(words.begin(), words.end(), word) != words.end()) {
            throw UsageError(fmt::format("{}={}: {} comes twice; give it once", flag, text, word));
        }
        words.push_back(std::move(word));
        start = comma + 1;
    }
    return words;
}

std::vector<WorkloadInfo> wanted_workloads(const CommandLine& line) {
    std::vector<WorkloadInfo> workloads;
    for (const std::string& name :
         split_list("--workloads", line.required("workloads", "echo,timers"))) {
        workloads.push_back(find_workload("--workloads", name));
    }
    return workloads;
}

std::vector<CaseWish> expand_cases(const std::vector<WorkloadInfo>& workloads,
                                   const std::map<std::string, std::string>& given) {
    std::vector<CaseWish> cases;
    std::map<std::string, std::string> unused = given;
    for (const WorkloadInfo& workload : workloads) {
        std::vector<std::map<std::string, std::string>> combinations{{}};
        for (const Parameter& parameter : all_parameters()) {
            const auto value = given.find(parameter.name);
            if (value == given.end() || !parameter.defaults.contains(workload.name)) continue;
            unused.erase(parameter.name);
            std::vector<std::map<std::string, std::string>> longer;
            for (const auto& combination : combinations) {
                for (const std::string& one : split_list(parameter.flag(), value->second)) {
                    longer.push_back(combination);
                    longer.back()[parameter.name] = one;
                }
            }
            combinations = std::move(longer);
        }
        for (const auto& combination : combinations) {
            cases.push_back({workload, resolve_parameters(workload, combination)});
        }
    }
    // What no workload has is refused in the words of the first.
    if (!unused.empty()) resolve_parameters(workloads.front(), {*unused.begin()});
    return cases;
}

std::vector<Placement> wanted_placements(const CommandLine& line, const CaseWish& wish,
                                         const Processors& processors) {
    if (!wish.workload.sockets) return choose_placements("", false, processors);
    const std::string wanted =
        placement_with_rate(line.value("placement"), wish.params, processors);
    return choose_placements(wanted.empty() ? "lockstep" : wanted, true, processors);
}

std::vector<ArmSpec> wanted_loops(const CommandLine& line, const Catalogue& catalogue) {
    std::vector<ArmSpec> loops;
    for (const std::string& text : split_list("--loops", line.required("loops", "epoll,uv"))) {
        loops.push_back(parse_arm("--loops", text));
        catalogue.program_of(loops.back(), "--loops");
    }
    return loops;
}

const ReadyArm& ArmDirectory::get(const ArmSpec& spec, std::string_view flag) {
    const auto known = arms_.find(spec.id);
    if (known != arms_.end()) return known->second;
    return arms_.emplace(spec.id, describe_arm(spec, flag, catalogue_, settings_, signals_))
        .first->second;
}

CasePlan plan_case(const CaseWish& wish, const std::vector<ArmSpec>& loops,
                   const ArmSpec& reference, ArmDirectory& arms) {
    CasePlan plan;
    plan.workload = wish.workload;
    plan.params = wish.params;
    plan.arms.push_back(arms.get(reference, "--reference"));
    check_arm_fits(plan.arms.front(), "--reference", wish.workload, wish.params);
    plan.reference = 0;
    for (const ArmSpec& loop : loops) {
        if (loop.id == reference.id) continue;
        const ReadyArm& arm = arms.get(loop, "--loops");
        const std::string why = why_not_offered(arm, wish.workload, wish.params);
        if (why.empty()) {
            plan.arms.push_back(arm);
        } else {
            plan.not_offered.push_back({arm.spec.id, why});
        }
    }
    if (plan.arms.size() == 1) {
        const ReadyArm& only = arms.get(loops.front(), "--loops");
        check_arm_fits(only, "--loops", wish.workload, wish.params);
        throw UsageError(
            fmt::format("--loops={}: that is the reference itself; give another loop "
                        "beside it, or another --reference",
                        only.spec.id));
    }
    return plan;
}

}  // namespace loopbench
