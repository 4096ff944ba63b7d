#include "harness/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace loopbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const BlockCost usual_cost{milliseconds(60), milliseconds(33)};

TEST(PlanTest, TheSameSeedGivesTheSamePlan) {
    EXPECT_EQ(plan_block(7, "lockstep", 3, 3, 8), plan_block(7, "lockstep", 3, 3, 8));
}

TEST(PlanTest, SeedsBlocksAndPlacementsDiffer) {
    const BlockPlan plan = plan_block(7, "lockstep", 3, 3, 8);
    EXPECT_NE(plan, plan_block(8, "lockstep", 3, 3, 8));
    EXPECT_NE(plan, plan_block(7, "lockstep", 4, 3, 8));
    EXPECT_NE(plan, plan_block(7, "split", 3, 3, 8));
}

TEST(PlanTest, EveryRoundOfSlicesHoldsEveryArmOnce) {
    const BlockPlan plan = plan_block(1, "lockstep", 0, 4, 5);
    ASSERT_EQ(plan.slice_order.size(), 20U);
    for (int round = 0; round < 5; ++round) {
        const auto start = plan.slice_order.begin() + 4 * round;
        EXPECT_EQ(std::set<std::size_t>(start, start + 4), (std::set<std::size_t>{0, 1, 2, 3}));
    }
}

TEST(PlanTest, EachArmStartsFirstAboutEquallyOften) {
    int first = 0;
    for (int block = 0; block < 1000; ++block) {
        first += plan_block(1, "lockstep", block, 2, 1).start_order.front() == 0 ? 1 : 0;
    }
    EXPECT_GT(first, 420);  // five standard deviations
    EXPECT_LT(first, 580);
}

TEST(PlanTest, ALongBudgetHoldsFullBlocks) {
    const Shape shape = fit_shape(seconds(14), usual_cost, {});
    EXPECT_EQ(shape.slices, ShapeWish{}.usual_slices);
    EXPECT_EQ(shape.blocks, 14'000 / (60 + 8 * 33));
}

TEST(PlanTest, AShortBudgetShortensBlocksBeforeItLosesTheInterval) {
    const Shape shape = fit_shape(milliseconds(1500), usual_cost, {});
    EXPECT_GE(shape.blocks, blocks_for_an_interval);
    EXPECT_LT(shape.slices, ShapeWish{}.usual_slices);
    EXPECT_GE(shape.slices, 1);
}

TEST(PlanTest, AHopelessBudgetHoldsWhatFits) {
    EXPECT_EQ(fit_shape(milliseconds(300), usual_cost, {}), (Shape{3, 1}));
    EXPECT_EQ(fit_shape(milliseconds(1), usual_cost, {}), (Shape{1, 1}));
    EXPECT_EQ(fit_shape(milliseconds(-5), usual_cost, {}), (Shape{1, 1}));
}

TEST(PlanTest, WhatTheUserWantsIsKept) {
    EXPECT_EQ(fit_shape(seconds(1), usual_cost, {.blocks = 50, .slices = 3}), (Shape{50, 3}));
    EXPECT_EQ(fit_shape(seconds(14), usual_cost, {.slices = 2}).slices, 2);
    EXPECT_EQ(fit_shape(seconds(14), usual_cost, {.blocks = 4}), (Shape{4, 8}));
}

TEST(PlanTest, MoreBlocksThatAreNeededAreShorter) {
    const Shape shape = fit_shape(seconds(5), usual_cost, {.least_blocks = 30});
    EXPECT_GE(shape.blocks, 30);
    EXPECT_LT(shape.slices, 8);
}

TEST(PlanTest, ABlockHoldsMoreSlicesWhenTheyAreShort) {
    EXPECT_EQ(usual_slices(milliseconds(5)), 32);
    EXPECT_EQ(usual_slices(milliseconds(2)), 80);
    EXPECT_EQ(usual_slices(milliseconds(1)), 80);
    EXPECT_EQ(usual_slices(milliseconds(10)), 16);
    EXPECT_EQ(usual_slices(milliseconds(30)), 8);
    EXPECT_EQ(usual_slices(seconds(1)), 8);
}

TEST(PlanTest, LooksAreFewAndEndWithTheLastBlock) {
    EXPECT_EQ(planned_looks(6, 3), std::vector<int>{3});
    EXPECT_EQ(planned_looks(6, 6), std::vector<int>{6});
    EXPECT_EQ(planned_looks(6, 30), (std::vector<int>{6, 9, 13, 19, 28, 30}));
    EXPECT_EQ(planned_looks(11, 30), (std::vector<int>{11, 16, 24, 30}));
}

}  // namespace
}  // namespace loopbench
