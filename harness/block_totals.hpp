#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "harness/sample.hpp"

namespace loopbench {

/// The sums over the valid slices of one arm in one block. A sum to which any slice had nothing to
/// contribute is missing as a whole.
struct BlockTotals {
    std::size_t slices = 0;
    double operations = 0;
    double elapsed_ns = 0;
    double bytes = 0;
    std::optional<double> rounds;
    std::optional<double> cpu_ns;
    std::optional<double> driver_cpu_ns;
    std::optional<double> voluntary_switches;
    std::optional<double> involuntary_switches;
    std::optional<double> waiting_ns;
    std::optional<double> instructions;
    std::optional<double> cycles;
    std::map<std::string, std::optional<double>> counters;
    std::map<std::string, double> metrics;  ///< means over slices, weighted by their operations
    const std::map<std::string, Histogram>* histograms = nullptr;
    ProcessFacts facts;

    std::optional<double> counter(const std::string& name) const;
};

/// `block` lives longer than the totals, which refer to its histograms.
BlockTotals total(const BlockSamples& block);

}  // namespace loopbench
