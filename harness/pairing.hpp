#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/figures.hpp"
#include "harness/measure.hpp"
#include "results/statistics.hpp"

namespace loopbench {

/// A figure of two arms in the blocks in which both are whole and have it.
struct PairedValues {
    std::vector<double> arm;  ///< of figures by slice: the reference's times `slice_ratio`
    std::vector<double> reference;
    /// Of figures by slice: ln of the ratio of the blocks' totals, less that of the slices.
    std::vector<double> gaps;
};

/// How two arms compare in a block, slice by slice: the Hodges–Lehmann estimate over the ratios of
/// slices that stand next to one another (of the same round of the block). Nothing is left out, but
/// what hits few slices does not move it, as it moves the ratio of totals: on a shared machine the
/// processor stands still for milliseconds, in a slice of a hundred, and nobody tells of which arm.
/// (A/A on a virtual machine, 80 slices of 2 ms: the ratio of a block scatters by 1.3%, that of
/// totals by 2.6%.) Nothing without a pair that has the figure.
/// `of_reference` is the figure that is taken of the reference.
std::optional<double> slice_ratio(const CasePlan& plan, const BlockSamples& arm,
                                  const BlockSamples& reference, const Figure& figure,
                                  const Figure& of_reference);

/// The normaliser's iterations are all of one kind: what an arm's phases cost is set beside what
/// its operation does.
PairedValues pair_values(const CasePlan& plan, const PlacementSamples& samples,
                         const Figure& figure, std::size_t arm, std::size_t reference);

/// ln(arm / reference), block by block, adjacent blocks merged when they are correlated. `offset`
/// is added to both values before: it keeps counts that may be zero comparable. Nothing when a
/// value is not positive even so.
std::optional<BlockRatios> independent_log_ratios(const PairedValues& values, double offset);

}  // namespace loopbench
