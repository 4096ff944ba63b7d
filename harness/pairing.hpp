#pragma once

#include <cstddef>
#include <vector>

#include "harness/figures.hpp"
#include "harness/measure.hpp"

namespace loopbench {

/// A figure of two arms in the blocks in which both are whole and have it.
struct PairedValues {
    std::vector<double> arm;
    std::vector<double> reference;
};

PairedValues pair_values(const CasePlan& plan, const PlacementSamples& samples,
                         const Figure& figure, std::size_t arm, std::size_t reference);

/// ln(arm / reference), block by block. `offset` is added to both values before: it keeps counts
/// that may be zero comparable. Pairs with a value that is not positive even so are left out.
std::vector<double> log_ratios(const PairedValues& values, double offset = 0);

}  // namespace loopbench
