#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "harness/sample.hpp"

namespace loopbench {

/// The sums over the valid slices of one arm in one block, and what was counted over the block. A
/// sum to which any slice had nothing to contribute is missing as a whole.
struct BlockTotals {
    std::size_t slices = 0;
    double operations = 0;
    double elapsed_ns = 0;
    double bytes = 0;
    std::optional<double> rounds;
    std::optional<double> cpu_ns;
    std::optional<double> driver_cpu_ns;
    std::optional<double> instructions;
    std::optional<double> cycles;
    StretchCounts counts;
    std::optional<double> syscalls_per_operation;
    std::map<std::string, double> metrics;  ///< means over slices, weighted by their operations
    const std::map<std::string, Histogram>* histograms = nullptr;
    ProcessFacts facts;

    /// How much a counter of `mark` grew for each operation of the block.
    std::optional<double> counted_per_operation(const std::string& name) const;
    /// `count` for each operation of the block.
    std::optional<double> per_operation(const std::optional<std::uint64_t>& count) const;
};

/// `block` lives longer than the totals, which refer to its histograms.
BlockTotals total(const BlockSamples& block);

/// Those of one slice alone; what is counted over the block is missing.
BlockTotals total(const SliceSample& slice);

}  // namespace loopbench
