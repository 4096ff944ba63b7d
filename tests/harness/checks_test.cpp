#include "harness/checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/harness/synthetic_samples.hpp"

namespace loopbench {
namespace {

/// The ids of what was found in one slice of one arm.
std::vector<std::string> findings(Placement placement, SliceSample slice) {
    PlacementSamples samples;
    samples.placement = placement;
    samples.arms.emplace_back().blocks.emplace_back().add(std::move(slice));
    std::vector<std::string> ids;
    for (const Warning& warning : check_samples(synthetic_plan({"uv"}), samples)) {
        ids.push_back(warning.id);
    }
    return ids;
}

using Ids = std::vector<std::string>;

TEST(ChecksTest, AQuietSliceIsFine) {
    EXPECT_EQ(findings(Placement::lockstep, synthetic_slice(6400, 100, 200)), Ids{});
    EXPECT_EQ(findings(Placement::split, synthetic_slice(6400, 100, 200)), Ids{});
}

TEST(ChecksTest, ASaturatedDriverVoidsThroughputInSplitPlacement) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.answer.driver_cpu_ns = slice.answer.elapsed_ns * 97 / 100;
    EXPECT_EQ(findings(Placement::split, slice), Ids{"generator_bound"});
    EXPECT_EQ(findings(Placement::lockstep, slice), Ids{}) << "there it is the other half";
}

TEST(ChecksTest, RoundsThatWereInterruptedShow) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.voluntary_switches = 130;  // of 100 rounds
    EXPECT_EQ(findings(Placement::lockstep, slice), Ids{"preempted_rounds"});
}

TEST(ChecksTest, AProcessorThatWasNotDeliveredShows) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.answer.driver_cpu_ns = 0;
    EXPECT_EQ(findings(Placement::lockstep, slice), Ids{"delivered_cpu"});
    slice.waiting_ns = *slice.cpu_ns;
    EXPECT_EQ(findings(Placement::split, slice), Ids{"delivered_cpu"});
}

TEST(ChecksTest, ConnectionsWithoutTrafficShow) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.answer.idle_connections = 3;
    EXPECT_EQ(findings(Placement::lockstep, slice), Ids{"idle_connections"});
}

TEST(ChecksTest, DisturbedSlicesMakeTheMachineUnfit) {
    SliceSample slice = synthetic_slice(6400, 100, 200);
    slice.invalid = "steal";
    const Ids found = findings(Placement::lockstep, slice);
    EXPECT_NE(std::find(found.begin(), found.end(), "invalid_slices"), found.end());
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
