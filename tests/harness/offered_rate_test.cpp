#include "harness/offered_rate.hpp"

#include <gtest/gtest.h>

#include "harness/errors.hpp"
#include "tests/harness/synthetic_samples.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

constexpr Processors with_two{1, 0};
constexpr Processors with_one{0, {}};

TEST(OfferedRateTest, AnOpenLoopIsMeasuredInSplitPlacementOnly) {
    EXPECT_EQ(placement_with_rate("", {{"rate", 500}}, with_two), "split");
    EXPECT_EQ(placement_with_rate("", {{"rate", "50%"}}, with_two), "split");
    EXPECT_EQ(placement_with_rate("split", {{"rate", 500}}, with_two), "split");
    EXPECT_THROW(placement_with_rate("lockstep", {{"rate", 500}}, with_two), UsageError);
    EXPECT_THROW(placement_with_rate("", {{"rate", 500}}, with_one), UsageError);
}

TEST(OfferedRateTest, AClosedLoopIsLeftAlone) {
    for (const json& params : {json{{"rate", 0}}, json{{"pending", 10}}}) {
        EXPECT_FALSE(is_open_loop(params));
        EXPECT_EQ(placement_with_rate("", params, with_two), "");
        EXPECT_EQ(placement_with_rate("lockstep", params, with_one), "lockstep");
    }
}

TEST(OfferedRateTest, ANumberIsKeptWithoutMeasuringAnything) {
    CasePlan plan = synthetic_plan({"uv"});  // whose program is nowhere
    plan.params["rate"] = 128;
    settle_offered_rate(plan, {}, StopSignals());
    EXPECT_EQ(plan.params["rate"], 128);
    EXPECT_EQ(describe_offered_rate(plan), "");
}

TEST(OfferedRateTest, SlicesWithoutEndAreRefused) {
    CasePlan plan = synthetic_plan({"uv"});
    plan.params["rate"] = 127;  // for 20 messages on each of 64 connections
    const StopSignals signals;
    try {
        settle_offered_rate(plan, {}, signals);
        FAIL();
    } catch (const UsageError& error) {
        EXPECT_NE(std::string(error.what()).find("at least --rate=128"), std::string::npos)
            << error.what();
    }
    Settings settings;
    settings.slice_rounds = 1;
    settle_offered_rate(plan, settings, signals);  // one message each is soon done
}

TEST(OfferedRateTest, TheReportSaysWhereARateComesFrom) {
    CasePlan plan = synthetic_plan({"uv", "bare"});
    plan.params["rate"] = 20000;
    plan.offered_rate = {{"wanted", "50%"},
                         {"slowest", "uv"},
                         {"closed_loop_maxima", {{"uv", 40000.0}, {"bare", 50000.0}}}};
    EXPECT_EQ(describe_offered_rate(plan),
              "rate: 20000/s, 50% of what uv did at the most in a closed loop "
              "(bare 50 k/s, uv 40 k/s)\n");
}

}  // namespace
}  // namespace loopbench
