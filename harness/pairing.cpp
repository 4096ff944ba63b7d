#include "harness/pairing.hpp"

#include <algorithm>
#include <cmath>

namespace loopbench {

namespace {

const Figure& figure_of_reference(const CasePlan& plan, const Figure& figure,
                                  std::size_t reference) {
    const bool is_normaliser = plan.arms.at(reference).spec.name == "normaliser";
    return figure.of_phase && is_normaliser ? *find_figure("cpu_ns_per_op") : figure;
}

}  // namespace

std::optional<double> slice_ratio(const CasePlan& plan, const BlockSamples& arm,
                                  const BlockSamples& reference, const Figure& figure,
                                  const Figure& of_reference) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(arm.slices.size(), reference.slices.size()); ++i) {
        const SliceSample& mine = arm.slices[i];
        const SliceSample& other = reference.slices[i];
        if (!mine.invalid.empty() || !other.invalid.empty()) continue;
        const auto my_value = figure.value(total(mine), plan.params);
        const auto other_value = of_reference.value(total(other), plan.params);
        if (!my_value || !other_value || *my_value <= 0 || *other_value <= 0) continue;
        ratios.push_back(std::log(*my_value / *other_value));
    }
    return ratios.empty() ? std::nullopt : std::optional(std::exp(hodges_lehmann(ratios)));
}

PairedValues pair_values(const CasePlan& plan, const PlacementSamples& samples,
                         const Figure& figure, std::size_t arm, std::size_t reference) {
    PairedValues values;
    const Figure& of_reference = figure_of_reference(plan, figure, reference);
    const auto& ours = samples.arms.at(arm).blocks;
    const auto& theirs = samples.arms.at(reference).blocks;
    for (std::size_t block = 0; block < std::min(ours.size(), theirs.size()); ++block) {
        if (!ours[block].whole() || !theirs[block].whole()) continue;
        const auto mine = figure.value(total(ours[block]), plan.params);
        const auto other = of_reference.value(total(theirs[block]), plan.params);
        if (!mine || !other) continue;
        const auto by_slice =
            figure.by_slice ? slice_ratio(plan, ours[block], theirs[block], figure, of_reference)
                            : std::nullopt;
        values.arm.push_back(by_slice ? *other * *by_slice : *mine);
        values.reference.push_back(*other);
        if (by_slice && *mine > 0 && *other > 0) {
            values.gaps.push_back(std::log(*mine / *other / *by_slice));
        }
    }
    return values;
}

std::optional<BlockRatios> independent_log_ratios(const PairedValues& values, double offset) {
    const auto as_sums = [&](const std::vector<double>& amounts) {
        std::vector<BlockSum> sums;
        for (const double amount : amounts) sums.push_back({amount + offset, 1});
        return sums;
    };
    return independent_log_ratios(as_sums(values.arm), as_sums(values.reference));
}

}  // namespace loopbench
