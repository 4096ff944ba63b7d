#include "harness/checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/harness/synthetic_samples.hpp"

namespace loopbench {
namespace {

/// The ids of what was found in one block of one arm.
std::vector<std::string> findings(Placement placement, const BlockSamples& block) {
    PlacementSamples samples;
    samples.placement = placement;
    samples.arms.emplace_back().blocks.push_back(block);
    std::vector<std::string> ids;
    for (const Warning& warning : check_samples(synthetic_plan({"uv"}), samples)) {
        ids.push_back(warning.id);
    }
    return ids;
}

std::vector<std::string> findings(Placement placement, const SliceSample& slice) {
    return findings(placement, synthetic_block(slice));
}

using Ids = std::vector<std::string>;

TEST(ChecksTest, AQuietSliceIsFine) {
    EXPECT_EQ(findings(Placement::lockstep, synthetic_slice(6400, 100, 200)), Ids{});
    EXPECT_EQ(findings(Placement::split, synthetic_slice(6400, 100, 200)), Ids{});
}

TEST(ChecksTest, ASaturatedDriverVoidsThroughputInSplitPlacement) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.answer.driver_cpu_ns = slice.answer.elapsed_ns * 97 / 100;
    EXPECT_EQ(findings(Placement::split, slice), (Ids{"generator_bound", "generator_bound"}))
        << "throughput and bytes a second";
    EXPECT_EQ(findings(Placement::lockstep, slice), Ids{}) << "there it is the other half";
}

TEST(ChecksTest, RoundsThatWereInterruptedShow) {
    BlockSamples block = synthetic_block(synthetic_slice(6400, 100, 200));
    block.counts.voluntary_switches = 130;  // of 100 rounds
    EXPECT_EQ(findings(Placement::lockstep, block), Ids{"preempted_rounds"});
}

/// What check_samples says of `turns` that two arms took for 6400 operations each.
std::vector<Warning> batch_findings(CasePlan plan, const std::vector<std::uint64_t>& turns) {
    PlacementSamples samples;
    samples.placement = Placement::lockstep;
    for (const std::uint64_t count : turns) {
        BlockSamples block = synthetic_block(synthetic_slice(6400, 100, 200));
        block.counts.counters["turns"] = count;
        samples.arms.emplace_back().blocks.push_back(block);
    }
    return check_samples(plan, samples);
}

TEST(ChecksTest, ArmsWithUnlikeBatchesAreToldApart) {
    const CasePlan plan = synthetic_plan({"uring", "epoll"});
    EXPECT_TRUE(batch_findings(plan, {104, 100}).empty()) << "4%";
    const auto found = batch_findings(plan, {200, 100});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].id, "unequal_batches");
    EXPECT_NE(found[0].text.find("uring 32.0, epoll 64.0"), std::string::npos) << found[0].text;
}

TEST(ChecksTest, ALibraryThatCapsItsTurnsIsNamed) {
    CasePlan plan = synthetic_plan({"asio", "epoll"});
    plan.arms[0].description["capabilities"]["turn_limit"] = 32;
    const auto found = batch_findings(plan, {200, 100});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(found[0].text.find("asio 32.0 (capped by library at 32 descriptors a turn)"),
              std::string::npos)
        << found[0].text;

    plan.arms.pop_back();
    ASSERT_EQ(batch_findings(plan, {200}).size(), 1u);
    EXPECT_EQ(batch_findings(plan, {200})[0].id, "capped_turns");
    plan.arms[0].description["capabilities"]["turn_limit"] = 64;  // a whole round
    EXPECT_TRUE(batch_findings(plan, {100}).empty());
}

TEST(ChecksTest, AProcessorThatWasNotDeliveredShows) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.answer.driver_cpu_ns = 0;
    EXPECT_EQ(findings(Placement::lockstep, slice), Ids{"delivered_cpu"});
    BlockSamples block = synthetic_block(synthetic_slice(6400, 100, 200));
    block.counts.waiting_ns = block.counts.running_ns;
    EXPECT_EQ(findings(Placement::split, block), Ids{"delivered_cpu"});
}

TEST(ChecksTest, ConnectionsWithoutTrafficShow) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.answer.idle_connections = 3;
    EXPECT_EQ(findings(Placement::lockstep, slice), Ids{"idle_connections"});
}

TEST(ChecksTest, DisturbedSlicesMakeTheMachineUnfit) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    const auto of = [&](int disturbed, int quiet) {
        BlockSamples block = synthetic_block(slice);
        for (int i = 1; i < quiet; ++i) block.add(slice);
        SliceSample stolen = slice;
        stolen.invalid = "steal";
        for (int i = 0; i < disturbed; ++i) block.add(stolen);
        const Ids found = findings(Placement::lockstep, block);
        return std::find(found.begin(), found.end(), "invalid_slices") != found.end();
    };
    EXPECT_TRUE(of(11, 89));
    EXPECT_FALSE(of(9, 91));
    EXPECT_TRUE(of(3, 1));
    EXPECT_FALSE(of(2, 1)) << "so few say nothing";
}

TEST(ChecksTest, AnArmThatIsStillWarmingUpIsTold) {
    const auto of = [](std::uint64_t early, std::uint64_t late) {
        PlacementSamples samples;
        ArmSamples& arm = samples.arms.emplace_back();
        for (int i = 0; i < 8; ++i) {
            BlockSamples block = synthetic_block(synthetic_slice(6400, early, 2 * early));
            block.add(synthetic_slice(6400, late, 2 * late));
            arm.blocks.push_back(block);
        }
        Ids ids;
        for (const Warning& warning : check_samples(synthetic_plan({"uv"}), samples)) {
            ids.push_back(warning.id);
        }
        return std::find(ids.begin(), ids.end(), "not_steady") != ids.end();
    };
    EXPECT_TRUE(of(110, 100));
    EXPECT_TRUE(of(100, 110)) << "or wearing out";
    EXPECT_FALSE(of(102, 100));
}

TEST(ChecksTest, DebugAndSanitizedBuildsAreTold) {
    CasePlan plan = synthetic_plan({"uv", "epoll"});
    plan.arms[0].description["build"] = {{"assertions", true}, {"sanitizers", ""}};
    plan.arms[1].description["build"] = {{"assertions", true}, {"sanitizers", "address"}};
    Settings settings;
    settings.processors.driver = 1;
    Ids ids;
    for (const Warning& warning : check_conditions(plan, settings)) ids.push_back(warning.id);
    EXPECT_NE(std::find(ids.begin(), ids.end(), "debug_build"), ids.end());
    EXPECT_NE(std::find(ids.begin(), ids.end(), "sanitizers"), ids.end());
    EXPECT_EQ(std::find(ids.begin(), ids.end(), "one_processor"), ids.end());
}

}  // namespace
}  // namespace loopbench
