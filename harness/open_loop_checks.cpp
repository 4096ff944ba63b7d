#include "harness/open_loop_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "harness/block_totals.hpp"

namespace loopbench {
namespace {

/// A latency metric and its quantile; the maximum is that of 1.
struct Percentile {
    std::string_view metric;
    double quantile;
};
constexpr std::array latencies{Percentile{"latency_p50", 0.5}, Percentile{"latency_p90", 0.9},
                               Percentile{"latency_p99", 0.99}, Percentile{"latency_p999", 0.999},
                               Percentile{"latency_max", 1}};

/// Merges a histogram over all blocks.
Histogram merged(const ArmSamples& arm, const char* name) {
    Histogram all;
    for (const BlockSamples& block : arm.blocks) {
        const auto found = block.histograms.find(name);
        if (found != block.histograms.end()) all.merge(found->second);
    }
    return all;
}

/// Adds `warning` for each of these metrics.
void void_metrics(std::vector<Warning>& warnings, Warning warning,
                  const std::vector<std::string_view>& metrics) {
    warning.grade = Grade::voids;
    for (const std::string_view metric : metrics) {
        warning.metric = metric;
        warnings.push_back(warning);
    }
}

void check_achieved(std::vector<Warning>& warnings, double share, const std::string& cell) {
    constexpr double tolerance = 0.01;
    if (std::abs(share - 1) <= tolerance) return;
    std::vector<std::string_view> metrics{"throughput"};
    for (const Percentile& latency : latencies) metrics.push_back(latency.metric);
    void_metrics(warnings,
                 {Grade::voids,
                  "rate_not_achieved",
                  fmt::format("{:.1f}% of the offered rate was achieved", share * 100),
                  "give a lower --rate, such as 50%, or longer slices (--slice-ms)",
                  {},
                  cell},
                 metrics);
}

/// No message is answered before it is sent, so that each percentile of the latency holds at most
/// the same percentile of the send lag: their quotient bounds the driver's part in it. A fixed
/// bound would not do: a driver that sleeps wakes up tens of microseconds late on a virtual
/// machine, which is a third of the latency of an idle server and nothing of that of a busy one.
void check_lag(std::vector<Warning>& warnings, const ArmSamples& arm, const std::string& cell) {
    constexpr double notable = 0.1;
    constexpr double most = 0.5;
    const Histogram latency = merged(arm, "latency");
    const Histogram lag = merged(arm, "send_lag");
    if (latency.count() == 0 || lag.count() == 0) return;
    std::vector<std::string_view> late;
    double largest = 0;
    for (const Percentile& percentile : latencies) {
        const double share = static_cast<double>(lag.value_at_quantile(percentile.quantile)) /
                             static_cast<double>(latency.value_at_quantile(percentile.quantile));
        if (share > most) late.push_back(percentile.metric);
        if (share <= most) largest = std::max(largest, share);
    }
    const char* remedy = "keep other work off the driver's processor, and its sleep states shallow";
    void_metrics(warnings,
                 {Grade::voids,
                  "late_sends",
                  "more than half of the latency is the driver's own delay behind the schedule",
                  remedy,
                  {},
                  cell},
                 late);
    if (largest <= notable) return;
    warnings.push_back({Grade::note,
                        "send_lag",
                        fmt::format("{}: up to {:.0f}% of a latency percentile is the driver's own "
                                    "delay behind the schedule",
                                    cell, largest * 100),
                        remedy,
                        {},
                        {}});
}

}  // namespace

void check_open_loop(std::vector<Warning>& warnings, const ArmSamples& arm,
                     const std::string& cell) {
    double operations = 0;
    double achieved = 0;
    for (const BlockSamples& block : arm.blocks) {
        const BlockTotals totals = total(block);
        const auto share = totals.metrics.find("achieved_share");
        if (share == totals.metrics.end()) continue;
        operations += totals.operations;
        achieved += share->second * totals.operations;
    }
    if (operations > 0) check_achieved(warnings, achieved / operations, cell);
    check_lag(warnings, arm, cell);
}

}  // namespace loopbench
