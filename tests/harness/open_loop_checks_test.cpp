#include "harness/open_loop_checks.hpp"

#include <gtest/gtest.h>

#include "harness/checks.hpp"
#include "harness/report.hpp"
#include "tests/harness/synthetic_samples.hpp"

namespace loopbench {
namespace {

/// An arm of an open loop in which every message had this latency and lag.
ArmSamples open_loop_arm(double achieved_share, std::uint64_t latency_ns, std::uint64_t lag_ns) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.answer.metrics = {{"achieved_share", achieved_share}};
    slice.answer.histograms["latency"].record(latency_ns, 6400);
    slice.answer.histograms["send_lag"].record(lag_ns, 6400);
    ArmSamples arm;
    arm.blocks.emplace_back().add(std::move(slice));
    return arm;
}

std::vector<std::string> voided(const ArmSamples& arm, const std::string& id) {
    std::vector<Warning> warnings;
    check_open_loop(warnings, arm, "the cell");
    std::vector<std::string> metrics;
    for (const Warning& warning : warnings) {
        if (warning.grade != Grade::voids) continue;
        EXPECT_EQ(warning.id, id);
        EXPECT_EQ(warning.cell, "the cell");
        metrics.push_back(warning.metric.value_or("all"));
    }
    return metrics;
}

using Metrics = std::vector<std::string>;

const Metrics every_latency{"latency_p50", "latency_p90", "latency_p99", "latency_p999",
                            "latency_max"};

TEST(OpenLoopChecksTest, AClosedLoopHasNothingToKeepUpWith) {
    std::vector<Warning> warnings;
    check_open_loop(warnings, synthetic_arm({100, 110}), "the cell");
    EXPECT_TRUE(warnings.empty());
}

TEST(OpenLoopChecksTest, ARateMissedByMoreThanOnePercentVoidsLatencyAndThroughput) {
    Metrics all{"throughput"};
    all.insert(all.end(), every_latency.begin(), every_latency.end());
    EXPECT_EQ(voided(open_loop_arm(0.995, 100'000, 100), ""), Metrics{});
    EXPECT_EQ(voided(open_loop_arm(1.005, 100'000, 100), ""), Metrics{});
    EXPECT_EQ(voided(open_loop_arm(0.98, 100'000, 100), "rate_not_achieved"), all);
    EXPECT_EQ(voided(open_loop_arm(1.02, 100'000, 100), "rate_not_achieved"), all);
}

TEST(OpenLoopChecksTest, TheShareIsOverAllSlices) {
    ArmSamples arm = open_loop_arm(0.97, 100'000, 100);
    EXPECT_FALSE(voided(arm, "rate_not_achieved").empty());
    arm.blocks.push_back(open_loop_arm(1.03, 100'000, 100).blocks.front());
    EXPECT_TRUE(voided(arm, "").empty()) << "one slice's answers fell into the next";
}

TEST(OpenLoopChecksTest, ALatencyThatIsMostlyTheDriversDelayIsVoid) {
    EXPECT_EQ(voided(open_loop_arm(1, 100'000, 60'000), "late_sends"), every_latency);
    EXPECT_EQ(voided(open_loop_arm(1, 100'000, 40'000), ""), Metrics{});
}

TEST(OpenLoopChecksTest, OnlyThePercentilesThatItReachesAreVoid) {
    ArmSamples arm = open_loop_arm(1, 1'000'000, 100);
    arm.blocks.front().histograms["send_lag"].record(900'000, 100);  // of 6500
    EXPECT_EQ(voided(arm, "late_sends"), (Metrics{"latency_p99", "latency_p999", "latency_max"}));
}

TEST(OpenLoopChecksTest, ADelayOfMoreThanATenthIsSaid) {
    std::vector<Warning> warnings;
    check_open_loop(warnings, open_loop_arm(1, 100'000, 9'000), "the cell");
    EXPECT_TRUE(warnings.empty());
    check_open_loop(warnings, open_loop_arm(1, 100'000, 20'000), "the cell");
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0].grade, Grade::note);
    EXPECT_NE(warnings[0].text.find("20%"), std::string::npos) << warnings[0].text;
}

TEST(OpenLoopChecksTest, IsPartOfTheChecksOfSplitPlacement) {
    PlacementSamples samples;
    samples.placement = Placement::split;
    samples.arms.push_back(open_loop_arm(0.5, 100'000, 100));
    ResultFile result;
    result.warnings = check_samples(synthetic_plan({"uv"}), samples);
    EXPECT_EQ(result.warnings.size(), 6u);
    const std::string text = format_warnings(result);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << "one finding, one line: " << text;
    EXPECT_NE(text.find("voids throughput, latency_p50, latency_p90"), std::string::npos) << text;
}

}  // namespace
}  // namespace loopbench
