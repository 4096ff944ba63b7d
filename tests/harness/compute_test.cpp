#include "harness/compute.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/compose.hpp"
#include "harness/pairing.hpp"
#include "results/validation.hpp"
#include "tests/harness/synthetic_samples.hpp"

namespace loopbench {
namespace {

PlacementSamples samples_of(const std::vector<std::vector<std::uint64_t>>& arms) {
    PlacementSamples samples;
    samples.placement = Placement::lockstep;
    for (const auto& costs : arms) samples.arms.push_back(synthetic_arm(costs));
    samples.shape.blocks = static_cast<int>(arms.front().size());
    samples.shape.slices = 1;
    return samples;
}

Case only_case(const PlacementSamples& samples) {
    return compute_case(synthetic_plan({"epoll"}), samples, 0);
}

TEST(ComputeTest, TheMedianIsOverBlocksAndTheIntervalFromTheirOrder) {
    const Case one = only_case(samples_of({{100, 110, 104, 106, 102, 108, 400}}));
    const MetricValue& cpu = one.metrics.at("cpu_ns_per_op");
    EXPECT_DOUBLE_EQ(cpu.median.value(), 106);
    // n = 7: the interval is from the smallest to the largest, nothing is dropped for its value.
    EXPECT_DOUBLE_EQ(cpu.ci95->low, 100);
    EXPECT_DOUBLE_EQ(cpu.ci95->high, 400);
    EXPECT_EQ(cpu.n, 7U);
    EXPECT_EQ(cpu.unit, "ns");
    EXPECT_EQ(cpu.reason, "");
}

TEST(ComputeTest, ABlocksValueIsTheRatioOfItsTotals) {
    PlacementSamples samples = samples_of({{}});
    samples.shape.slices = 2;
    samples.arms[0].blocks.emplace_back().planned = 2;
    samples.arms[0].blocks[0].add(synthetic_slice(6400, 100, 200));
    samples.arms[0].blocks[0].add(synthetic_slice(640, 1000, 2000));  // a rare, dear slice
    const Case one = only_case(samples);
    EXPECT_DOUBLE_EQ(one.metrics.at("cpu_ns_per_op").median.value(),
                     (6400 * 100 + 640 * 1000) / 7040.0);
    EXPECT_DOUBLE_EQ(one.metrics.at("throughput").median.value(),
                     7040 * 1e9 / (6400 * 200 + 640 * 2000));
    EXPECT_EQ(one.samples.size(), 2U);
}

TEST(ComputeTest, FiveBlocksHaveNoInterval) {
    const Case one = only_case(samples_of({{100, 101, 102, 103, 104}}));
    const MetricValue& cpu = one.metrics.at("cpu_ns_per_op");
    EXPECT_DOUBLE_EQ(cpu.median.value(), 102);
    EXPECT_FALSE(cpu.ci95);
    EXPECT_EQ(cpu.reason, "5 blocks; a 95% interval needs at least 6");
}

TEST(ComputeTest, WhatCouldNotBeHadHasAReason) {
    const Case one = only_case(samples_of({{100, 100, 100, 100, 100, 100}}));
    for (const char* metric : {"instructions_per_op", "cycles_per_op", "allocations_per_op",
                               "peak_rss_bytes", "user_ns_per_op", "latency_p50"}) {
        const MetricValue& value = one.metrics.at(metric);
        EXPECT_FALSE(value.median) << metric;
        EXPECT_NE(value.reason, "") << metric;
    }
    EXPECT_FALSE(one.metrics.contains("cpu_ns_per_start")) << "no timers in echo";
}

TEST(ComputeTest, LoadAndSwitchesPerOperation) {
    const Case one = only_case(samples_of({{100, 100, 100, 100, 100, 100}}));
    EXPECT_DOUBLE_EQ(one.metrics.at("ops_per_turn").median.value(), 64);
    EXPECT_DOUBLE_EQ(one.metrics.at("messages_per_read").median.value(), 1);
    EXPECT_DOUBLE_EQ(one.metrics.at("sut_busy").median.value(), 0.5);
    EXPECT_DOUBLE_EQ(one.metrics.at("voluntary_switches_per_op").median.value(), 1.0 / 64);
    EXPECT_DOUBLE_EQ(one.metrics.at("involuntary_switches_per_op").median.value(), 0);
    EXPECT_DOUBLE_EQ(one.metrics.at("syscalls_per_op").median.value(), 2.5);
    EXPECT_EQ(one.metrics.at("syscalls_per_op").n, 1U);
}

TEST(ComputeTest, InvalidSlicesDoNotCountButAreKept) {
    PlacementSamples samples = samples_of({{100, 100, 100, 100, 100, 100}});
    SliceSample disturbed = synthetic_slice(6400, 900, 1800);
    disturbed.invalid = "an arm that was meant to sleep used the processor";
    for (BlockSamples& block : samples.arms[0].blocks) {
        block.planned = 2;
        block.add(disturbed);
    }
    samples.shape.slices = 2;
    const Case one = only_case(samples);
    EXPECT_DOUBLE_EQ(one.metrics.at("cpu_ns_per_op").ci95->high, 100);
    EXPECT_EQ(one.samples.size(), 12U);
    EXPECT_EQ(one.samples[1]["invalid"], "an arm that was meant to sleep used the processor");
}

TEST(ComputeTest, LatencyIsMergedOverABlock) {
    PlacementSamples samples = samples_of({{}});
    samples.shape.slices = 2;
    samples.arms[0].blocks.emplace_back().planned = 2;
    for (const std::uint64_t latency : {100U, 200U}) {
        SliceSample slice = synthetic_slice(6400, 100, 200);
        slice.answer.histograms["latency"].record(latency, 500);
        samples.arms[0].blocks[0].add(slice);
    }
    const Case one = only_case(samples);
    EXPECT_DOUBLE_EQ(one.metrics.at("latency_p50").median.value(), 100);
    EXPECT_DOUBLE_EQ(one.metrics.at("latency_p90").median.value(), 200);
    EXPECT_DOUBLE_EQ(one.metrics.at("latency_max").median.value(), 200);
    EXPECT_FALSE(one.metrics.at("latency_p999").median) << "1000 samples are too few for it";
}

TEST(ComputeTest, TheRatioIsOverPairedBlocks) {
    // The machine drifts by a factor of two; within a block the first arm costs half as much again.
    const std::vector<std::uint64_t> reference{100, 120, 140, 160, 180, 200, 150};
    std::vector<std::uint64_t> arm;
    for (const std::uint64_t cost : reference) arm.push_back(cost * 3 / 2);
    const CasePlan plan = synthetic_plan({"uv", "epoll"});
    const auto comparisons = compute_comparisons(plan, samples_of({arm, reference}));
    ASSERT_FALSE(comparisons.empty());
    EXPECT_EQ(comparisons[0].metric, "cpu_ns_per_op");
    EXPECT_EQ(comparisons[0].arm, "uv");
    EXPECT_EQ(comparisons[0].reference, "epoll");
    EXPECT_NEAR(comparisons[0].ratio.value(), 1.5, 1e-9);
    EXPECT_NEAR(comparisons[0].ci95->low, 1.5, 1e-9);
    EXPECT_NEAR(comparisons[0].ci95->high, 1.5, 1e-9);
    EXPECT_NEAR(reached_precision(plan, samples_of({arm, reference})).value(), 0, 1e-9);
}

/// Two arms in a block of twenty slices each, the same but for one slice of the first, which is ten
/// times as dear.
PlacementSamples samples_with_a_stall() {
    PlacementSamples samples = samples_of({{}, {}});
    samples.shape.slices = 20;
    for (ArmSamples& arm : samples.arms) {
        arm.blocks.emplace_back().planned = 20;
        const bool stalled = &arm == &samples.arms.front();
        for (int i = 0; i < 20; ++i) {
            const std::uint64_t times = stalled && i == 7 ? 10 : 1;
            arm.blocks[0].add(synthetic_slice(6400, 100 * times, 200 * times));
        }
    }
    return samples;
}

TEST(ComputeTest, OneStallDoesNotMoveTheRatioOfABlock) {
    const CasePlan plan = synthetic_plan({"uv", "epoll"});
    const PlacementSamples samples = samples_with_a_stall();
    for (const char* metric : {"cpu_ns_per_op", "throughput"}) {
        const PairedValues values = pair_values(plan, samples, *find_figure(metric), 0, 1);
        EXPECT_NEAR(values.arm.at(0) / values.reference.at(0), 1, 1e-12) << metric;
        ASSERT_EQ(values.gaps.size(), 1U) << metric;
        EXPECT_NEAR(std::abs(values.gaps[0]), std::log(29.0 / 20), 1e-12) << "of the totals";
    }
}

TEST(ComputeTest, ARoundWithADisturbedSliceIsNoPair) {
    const CasePlan plan = synthetic_plan({"uv", "epoll"});
    PlacementSamples samples = samples_of({{}, {}});
    for (ArmSamples& arm : samples.arms) arm.blocks.emplace_back().planned = 2;
    SliceSample disturbed = synthetic_slice(6400, 900, 1800);
    disturbed.invalid = "another program";
    samples.arms[0].blocks[0].add(disturbed);
    samples.arms[1].blocks[0].add(synthetic_slice(6400, 300, 600));
    samples.arms[0].blocks[0].add(synthetic_slice(6400, 100, 200));
    samples.arms[1].blocks[0].add(synthetic_slice(6400, 200, 400));
    const Figure& cpu = *find_figure("cpu_ns_per_op");
    EXPECT_NEAR(
        slice_ratio(plan, samples.arms[0].blocks[0], samples.arms[1].blocks[0], cpu, cpu).value(),
        0.5, 1e-12);
}

TEST(ComputeTest, APhaseStandsBesideWhatTheNormaliserDoes) {
    PlacementSamples samples = samples_of({{}, {}});
    for (ArmSamples& arm : samples.arms) arm.blocks.emplace_back().planned = 1;
    SliceSample storm = synthetic_slice(6400, 100, 200);
    storm.answer.metrics["cpu_ns_per_start"] = 80;
    samples.arms[0].blocks[0].add(storm);
    samples.arms[1].blocks[0].add(synthetic_slice(6400, 10, 20));
    const Figure& start = *find_figure("cpu_ns_per_start");
    const PairedValues values =
        pair_values(synthetic_plan({"uv", "normaliser"}), samples, start, 0, 1);
    ASSERT_EQ(values.arm.size(), 1U);
    EXPECT_NEAR(values.arm[0] / values.reference[0], 8, 1e-12);
    const CasePlan without = synthetic_plan({"uv", "epoll"});
    EXPECT_TRUE(pair_values(without, samples, start, 0, 1).arm.empty());
}

TEST(ComputeTest, ABlockThatOneArmDidNotFinishIsNoPair) {
    const CasePlan plan = synthetic_plan({"uv", "epoll"});
    const auto comparisons = compute_comparisons(plan, samples_of({{100, 100, 100}, {100, 100}}));
    EXPECT_EQ(comparisons[0].n, 2U);
    EXPECT_FALSE(comparisons[0].ci95);
}

TEST(ComputeTest, EveryArmHasItsRatioToTheReference) {
    const CasePlan plan = synthetic_plan({"uv", "epoll", "uring"});
    const std::vector<std::uint64_t> one(6, 100);
    const std::vector<std::uint64_t> two(6, 200);
    const std::vector<std::uint64_t> three(6, 300);
    const auto comparisons = compute_comparisons(plan, samples_of({one, two, three}));
    std::map<std::string, double> ratios;
    for (const Comparison& comparison : comparisons) {
        if (comparison.metric == "cpu_ns_per_op") ratios[comparison.arm] = *comparison.ratio;
    }
    EXPECT_EQ(ratios.size(), 2U);
    EXPECT_NEAR(ratios["uv"], 0.5, 1e-9);
    EXPECT_NEAR(ratios["uring"], 1.5, 1e-9);
}

TEST(ComputeTest, AnArmThatBrokeOffLeavesTheOthersTheirBlocks) {
    PlacementSamples samples = samples_of({{100, 100}, {100, 100, 100}, {100, 100, 100}});
    samples.arms[0].blocks.emplace_back();  // begun, without a slice
    samples.arms[0].failure = "was killed by signal 9";
    EXPECT_EQ(samples.whole_blocks(), 3);
    const CasePlan plan = synthetic_plan({"uv", "epoll", "uring"});
    for (const Comparison& comparison : compute_comparisons(plan, samples)) {
        if (comparison.metric != "cpu_ns_per_op") continue;
        EXPECT_EQ(comparison.n, comparison.arm == "uv" ? 2U : 3U);
    }
}

TEST(ComputeTest, SystemCallsOfEachBlockHaveAnInterval) {
    PlacementSamples samples = samples_of({{100, 100, 100, 100, 100, 100}});
    CasePlan plan = synthetic_plan({"epoll"});
    plan.count_syscalls_by_block = true;
    for (BlockSamples& block : samples.arms[0].blocks) block.syscalls_per_operation = 2.02;
    const MetricValue value = compute_case(plan, samples, 0).metrics.at("syscalls_per_op");
    EXPECT_DOUBLE_EQ(value.median.value(), 2.02);
    EXPECT_EQ(value.n, 6U);
    EXPECT_TRUE(value.ci95);
}

TEST(ComputeTest, ABlockThatWasCutShortDoesNotCountBesideWholeOnes) {
    PlacementSamples samples = samples_of({{100, 100, 900}});
    samples.arms[0].blocks.back().slices.clear();
    EXPECT_EQ(samples.whole_blocks(), 2);
    EXPECT_EQ(only_case(samples).metrics.at("cpu_ns_per_op").n, 2U);
}

TEST(ComputeTest, EveryResultIsValid) {
    for (const std::size_t blocks : {0U, 1U, 7U}) {
        const std::vector<std::uint64_t> costs(blocks, 100);
        const CasePlan plan = synthetic_plan({"uv", "epoll"});
        ResultFile result = compose_head({plan}, Settings{});
        EXPECT_EQ(validate_result(result), std::vector<std::string>{}) << "the head";
        compose_figures(result, plan, {samples_of({costs, costs})});
        EXPECT_EQ(validate_result(result), std::vector<std::string>{}) << blocks;
    }
}

}  // namespace
}  // namespace loopbench
