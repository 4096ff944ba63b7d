#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/claims/claim.hpp"
#include "harness/claims/progress.hpp"

namespace loopbench {
namespace {

const Comparison* find_comparison(const ResultFile& result, const Experiment& experiment,
                                  const std::string& metric, const std::string& arm,
                                  const std::string& over) {
    const auto rows = measured_rows(result, experiment.key());
    if (!rows) return nullptr;
    for (std::size_t i = rows->first_comparison; i < rows->end_comparison; ++i) {
        const Comparison& one = result.comparisons[i];
        if (one.metric == metric && one.arm == arm && one.reference == over) return &one;
    }
    return nullptr;
}

const Case* find_case(const ResultFile& result, const Experiment& experiment,
                      const std::string& arm) {
    const auto rows = measured_rows(result, experiment.key());
    if (!rows) return nullptr;
    for (std::size_t i = rows->first_case; i < rows->end_case; ++i) {
        if (result.cases[i].arm == arm) return &result.cases[i];
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
    if (slice_rounds > 0) text += fmt::format(" rounds={}", slice_rounds);
    text += fmt::format(" {}: {} over {}", placement, fmt::join(arms, ", "), reference);
    if (!also_over.empty()) text += fmt::format(", {}", fmt::join(also_over, ", "));
    return text;
}

Estimate ClaimEvidence::ratio(const Experiment& experiment, const std::string& metric,
                              const std::string& arm) const {
    return ratio(experiment, metric, arm, experiment.reference);
}

Estimate ClaimEvidence::ratio(const Experiment& experiment, const std::string& metric,
                              const std::string& arm, const std::string& over) const {
    const Comparison* found = find_comparison(result_, experiment, metric, arm, over);
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
    const Comparison* found =
        find_comparison(result_, experiment, metric, arm, experiment.reference);
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
        for (const auto& some : {socket_claims(), switch_claims(), scaling_claims(), task_claims(),
                                 own_socket_claims(), own_process_claims()}) {
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    }();
    return claims;
}

}  // namespace loopbench
