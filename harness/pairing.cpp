#include "harness/pairing.hpp"

#include <algorithm>
#include <cmath>

namespace loopbench {

PairedValues pair_values(const CasePlan& plan, const PlacementSamples& samples,
                         const Figure& figure, std::size_t arm, std::size_t reference) {
    PairedValues values;
    const auto& ours = samples.arms.at(arm).blocks;
    const auto& theirs = samples.arms.at(reference).blocks;
    for (std::size_t block = 0; block < std::min(ours.size(), theirs.size()); ++block) {
        if (!ours[block].whole() || !theirs[block].whole()) continue;
        const auto mine = figure.value(total(ours[block]), plan.params);
        const auto other = figure.value(total(theirs[block]), plan.params);
        if (!mine || !other) continue;
        values.arm.push_back(*mine);
        values.reference.push_back(*other);
    }
    return values;
}

std::vector<double> log_ratios(const PairedValues& values, double offset) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < values.arm.size(); ++i) {
        const double mine = values.arm[i] + offset;
        const double other = values.reference[i] + offset;
        if (mine > 0 && other > 0) ratios.push_back(std::log(mine / other));
    }
    return ratios;
}

}  // namespace loopbench
