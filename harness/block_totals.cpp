#include "harness/block_totals.hpp"

#include <span>

namespace loopbench {
namespace {

using Count = std::optional<std::uint64_t>;

/// Sums one member over the valid slices.
template <class Member>
std::optional<double> sum(std::span<const SliceSample> slices, Member member) {
    std::optional<double> result;
    for (const SliceSample& slice : slices) {
        if (!slice.invalid.empty()) continue;
        const Count value = member(slice);
        if (!value) return std::nullopt;
        result = result.value_or(0) + static_cast<double>(*value);
    }
    return result;
}

/// Of the valid slices, what they add up to.
BlockTotals sum_up(std::span<const SliceSample> slices) {
    BlockTotals totals;
    std::map<std::string, double> weights;
    for (const SliceSample& slice : slices) {
        if (!slice.invalid.empty()) continue;
        const auto operations = static_cast<double>(slice.answer.operations);
        ++totals.slices;
        totals.operations += operations;
        totals.elapsed_ns += static_cast<double>(slice.answer.elapsed_ns);
        totals.bytes += static_cast<double>(slice.answer.bytes);
        for (const auto& [name, value] : slice.answer.metrics) {
            totals.metrics[name] += value * operations;
            weights[name] += operations;
        }
    }
    for (auto& [name, value] : totals.metrics) value /= weights[name];
    totals.rounds = sum(slices, [](const auto& slice) { return slice.answer.rounds; });
    totals.cpu_ns = sum(slices, [](const auto& slice) { return slice.cpu_ns; });
    totals.driver_cpu_ns =
        sum(slices, [](const auto& slice) { return slice.answer.driver_cpu_ns; });
    totals.instructions = sum(slices, [](const auto& slice) { return slice.instructions; });
    totals.cycles = sum(slices, [](const auto& slice) { return slice.cycles; });
    return totals;
}

}  // namespace

std::optional<double> BlockTotals::per_operation(const std::optional<std::uint64_t>& count) const {
    if (!count || counts.operations == 0) return std::nullopt;
    return static_cast<double>(*count) / static_cast<double>(counts.operations);
}

std::optional<double> BlockTotals::counted_per_operation(const std::string& name) const {
    const auto found = counts.counters.find(name);
    return found == counts.counters.end() ? std::nullopt : per_operation(found->second);
}

BlockTotals total(const BlockSamples& block) {
    BlockTotals totals = sum_up(block.slices);
    totals.histograms = &block.histograms;
    totals.facts = block.facts;
    totals.counts = block.counts;
    totals.syscalls_per_operation = block.syscalls_per_operation;
    return totals;
}

BlockTotals total(const SliceSample& slice) {
    static const std::map<std::string, Histogram> none;
    BlockTotals totals = sum_up({&slice, 1});
    totals.histograms = &none;
    return totals;
}

}  // namespace loopbench
