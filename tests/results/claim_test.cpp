#include "results/claim.hpp"

#include <gtest/gtest.h>

namespace loopbench {
namespace {

ClaimCell cell(double low, double high, ClaimedRange range = ClaimedRange::between(2, 5),
               std::map<std::string, std::string> traits = {}) {
    ClaimCell one;
    one.traits = std::move(traits);
    one.value = (low + high) / 2;
    one.ci95 = Interval{low, high};
    one.range = range;
    return one;
}

std::vector<ClaimCell> cells(std::size_t count, double low, double high) {
    return std::vector<ClaimCell>(count, cell(low, high));
}

std::vector<ClaimCell> operator+(std::vector<ClaimCell> a, const std::vector<ClaimCell>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

TEST(StandingTest, OnlyAWholeIntervalDecides) {
    EXPECT_EQ(standing_of(cell(2, 5)), Standing::within);
    EXPECT_EQ(standing_of(cell(1.9, 3)), Standing::open);
    EXPECT_EQ(standing_of(cell(4, 5.1)), Standing::open);
    EXPECT_EQ(standing_of(cell(5.1, 6)), Standing::beyond);
    EXPECT_EQ(standing_of(cell(1, 1.9)), Standing::against);
    ClaimCell without = cell(3, 4);
    without.ci95.reset();
    EXPECT_EQ(standing_of(without), Standing::open);
}

TEST(StandingTest, AnOpenRangeHasOneSideAgainstIt) {
    EXPECT_EQ(standing_of(cell(20, 30, ClaimedRange::at_least(10))), Standing::within);
    EXPECT_EQ(standing_of(cell(3, 4, ClaimedRange::at_least(10))), Standing::against);
    EXPECT_EQ(standing_of(cell(1, 1.2, ClaimedRange::at_most(1.5))), Standing::within);
    EXPECT_EQ(standing_of(cell(2, 3, ClaimedRange::at_most(1.5))), Standing::against);
}

TEST(StandingTest, AnExactFigureIsAnInterval) {
    EXPECT_EQ(standing_of(cell(1, 1, ClaimedRange::between(1, 1))), Standing::within);
}

TEST(JudgeClaimTest, NineOfTenCellsDecide) {
    EXPECT_EQ(judge_claim(cells(9, 3, 4) + cells(1, 1, 1.5)).verdict, ClaimVerdict::confirmed);
    EXPECT_EQ(judge_claim(cells(9, 6, 7) + cells(1, 3, 4)).verdict, ClaimVerdict::exceeded);
    EXPECT_EQ(judge_claim(cells(9, 1, 1.5) + cells(1, 3, 4)).verdict, ClaimVerdict::refuted);
    EXPECT_EQ(judge_claim(cells(8, 3, 4) + cells(2, 1, 1.5)).verdict, ClaimVerdict::depends);
}

TEST(JudgeClaimTest, OpenCellsDecideNothing) {
    EXPECT_EQ(judge_claim({}).verdict, ClaimVerdict::unclear);
    EXPECT_EQ(judge_claim(cells(3, 1, 6)).verdict, ClaimVerdict::unclear);
    EXPECT_EQ(judge_claim(cells(8, 3, 4) + cells(2, 1, 6)).verdict, ClaimVerdict::unclear);
    EXPECT_EQ(judge_claim(cells(9, 3, 4) + cells(1, 1, 6)).verdict, ClaimVerdict::confirmed);
}

TEST(JudgeClaimTest, TheTraitThatDecidesIsNamed) {
    std::vector<ClaimCell> all;
    for (const char* transport : {"unix", "tcp"}) {
        for (const char* size : {"64", "1024", "102400"}) {
            const bool big = std::string_view(size) == "102400";
            all.push_back(cell(big ? 1.1 : 3, big ? 1.3 : 4, ClaimedRange::between(2, 5),
                               {{"transport", transport}, {"size", size}}));
        }
    }
    const ClaimJudgement judgement = judge_claim(all);
    EXPECT_EQ(judgement.verdict, ClaimVerdict::depends);
    EXPECT_EQ(judgement.on, "size");
    EXPECT_EQ(judgement.why,
              "size 64, 1024: within; size 102400: against (of 6 figures: 4 within, 2 against)");
}

TEST(JudgeClaimTest, ATraitThatExplainsNothingIsNotNamed) {
    std::vector<ClaimCell> all;
    for (const char* transport : {"unix", "tcp"}) {
        all.push_back(cell(3, 4, ClaimedRange::between(2, 5), {{"transport", transport}}));
        all.push_back(cell(1, 1.5, ClaimedRange::between(2, 5), {{"transport", transport}}));
    }
    const ClaimJudgement judgement = judge_claim(all);
    EXPECT_EQ(judgement.verdict, ClaimVerdict::depends);
    EXPECT_EQ(judgement.on, "");
}

}  // namespace
}  // namespace loopbench
