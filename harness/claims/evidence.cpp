#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/claims/claim.hpp"
#include "harness/workload_parameters.hpp"

namespace loopbench {
namespace {

/// Whether a case or a comparison of a result is of the experiment, whose parameters are `params`.
template <class Row>
bool belongs(const Row& row, const Experiment& experiment, const nlohmann::json& params) {
    const bool in_process = row.placement == "in-process";
    return row.workload == experiment.workload && row.params == params &&
           (in_process || row.placement == experiment.placement);
}

nlohmann::json params_of(const Experiment& experiment) {
    return resolve_parameters(find_workload("--workload", experiment.workload), experiment.params);
}

const Comparison* find_comparison(const ResultFile& result, const Experiment& experiment,
                                  const std::string& metric, const std::string& arm) {
    const nlohmann::json params = params_of(experiment);
    for (const Comparison& one : result.comparisons) {
        if (one.metric == metric && one.arm == arm && one.reference == experiment.reference &&
            belongs(one, experiment, params)) {
            return &one;
        }
    }
    return nullptr;
}

const Case* find_case(const ResultFile& result, const Experiment& experiment,
                      const std::string& arm) {
    const nlohmann::json params = params_of(experiment);
    for (const Case& one : result.cases) {
        if (one.arm == arm && belongs(one, experiment, params)) return &one;
    }
    return nullptr;
}

}  // namespace

std::string_view name_of(Extent extent) {
    switch (extent) {
        case Extent::quick:
            return "quick";
        case Extent::full:
            return "full";
        default:
            return "standard";
    }
}

std::string Experiment::key() const {
    std::string text = workload;
    for (const auto& [name, value] : params) text += fmt::format(" {}={}", name, value);
    return fmt::format("{} {}: {} over {}", text, placement, fmt::join(arms, ", "), reference);
}

Estimate ClaimEvidence::ratio(const Experiment& experiment, const std::string& metric,
                              const std::string& arm) const {
    const Comparison* found = find_comparison(result_, experiment, metric, arm);
    if (found == nullptr) {
        return {std::nullopt, std::nullopt, why_missing(experiment, arm)};
    }
    return {found->ratio, found->ci95, found->reason};
}

Estimate ClaimEvidence::figure(const Experiment& experiment, const std::string& metric,
                               const std::string& arm) const {
    const Case* found = find_case(result_, experiment, arm);
    if (found == nullptr) {
        return {std::nullopt, std::nullopt, why_missing(experiment, arm)};
    }
    const auto value = found->metrics.find(metric);
    if (value == found->metrics.end()) {
        return {std::nullopt, std::nullopt,
                fmt::format("{} has no {}", experiment.workload, metric)};
    }
    return {value->second.median, value->second.ci95, value->second.reason};
}

bool ClaimEvidence::generator_bound(const Experiment& experiment, const std::string& metric,
                                    const std::string& arm) const {
    const Comparison* found = find_comparison(result_, experiment, metric, arm);
    return found != nullptr && found->verdict.find("generator-bound") != std::string::npos;
}

bool ClaimEvidence::has(const Experiment& experiment, const std::string& arm) const {
    return find_case(result_, experiment, arm) != nullptr;
}

std::string ClaimEvidence::why_skipped(const Experiment& experiment) const {
    const auto found = skipped_.find(experiment.key());
    return found == skipped_.end() ? "" : found->second;
}

std::string ClaimEvidence::why_missing(const Experiment& experiment, const std::string& arm) const {
    const std::string why = why_skipped(experiment);
    return why.empty() ? fmt::format("{} was not measured there", arm) : why;
}

ClaimCell make_cell(std::string figure, std::map<std::string, std::string> traits,
                    const Estimate& estimate, const ClaimedRange& range) {
    return {std::move(figure), std::move(traits), estimate.value, estimate.ci95, range,
            estimate.reason};
}

const std::vector<Claim>& all_claims() {
    static const std::vector<Claim> claims = [] {
        std::vector<Claim> all;
        for (const auto& some :
             {socket_claims(), switch_claims(), scaling_claims(), task_claims()}) {
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    }();
    return claims;
}

}  // namespace loopbench
