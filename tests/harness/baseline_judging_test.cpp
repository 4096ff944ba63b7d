// What sittings decide, without measuring.

#include <gtest/gtest.h>

#include "harness/baseline.hpp"

namespace loopbench {
namespace {

/// As a gate leaves it after its measurement: the loop at `log_ratio` over its normaliser.
JudgedCell measured(std::size_t ratios, double log_ratio) {
    JudgedCell cell;
    cell.workload = "pingpong";
    cell.params = {{"tasks", 2}};
    cell.metric = "cpu_ns_per_switch";
    cell.arm = "epoll";
    cell.reference = "normaliser";
    cell.margin = {.relative = 0.05};
    cell.level = 100;
    cell.log_ratios.assign(ratios, log_ratio);
    return cell;
}

/// As many sittings, that measured a `log_ratio` of 0.
std::vector<Sitting> sittings(std::size_t count) {
    return std::vector<Sitting>(count,
                                {"2026-01-01T00:00:00Z", {}, sitting_cells({measured(6, 0)})});
}

Decision decision_of(JudgedCell cell, const std::vector<Sitting>& sittings) {
    EXPECT_TRUE(judge_by_sittings(cell, sittings));
    std::vector<JudgedCell> cells{std::move(cell)};
    decide_cells(cells);
    return cells[0].decision;
}

TEST(BaselineJudgingTest, FiveEqualSittingsDecide) {
    EXPECT_EQ(decision_of(measured(6, 0), sittings(5)), Decision::pass);
    EXPECT_EQ(decision_of(measured(6, 1), sittings(5)), Decision::regression);
}

TEST(BaselineJudgingTest, FewerSittingsDecideNothing) {
    JudgedCell cell = measured(6, 1);
    ASSERT_TRUE(judge_by_sittings(cell, sittings(4)));
    EXPECT_EQ(
        cell.cannot,
        "the baseline has 4 sittings of it that count; 5 are needed, at least a minute apart");
}

TEST(BaselineJudgingTest, FewBlocksAreNoSitting) {
    JudgedCell cell = measured(5, 0);
    ASSERT_TRUE(judge_by_sittings(cell, sittings(5)));
    EXPECT_EQ(cell.cannot, "5 blocks are no sitting; 6 are needed");
}

TEST(BaselineJudgingTest, MergedBlocksAreCountedAsMeasured) {
    JudgedCell cell = measured(3, 0);
    cell.merged = true;
    EXPECT_EQ(decision_of(std::move(cell), sittings(5)), Decision::pass);
}

TEST(BaselineJudgingTest, AnotherCaseIsNotInTheBaseline) {
    JudgedCell cell = measured(6, 0);
    cell.params = {{"tasks", 3}};
    EXPECT_FALSE(judge_by_sittings(cell, sittings(5)));
}

}  // namespace
}  // namespace loopbench
