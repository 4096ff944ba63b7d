// The expected numbers come from SciPy 1.10; each test says by which call.

#include "results/verdict.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "results/statistics.hpp"

namespace loopbench {
namespace {

const std::vector<double> three_percent = {0.031, 0.022, 0.035, 0.018, 0.027, 0.041,
                                           0.013, 0.029, 0.024, 0.033, 0.020, 0.038};
const std::vector<double> nothing = {0.004,  -0.002, 0.001, -0.005,  0.003,
                                     0.0005, -0.001, 0.002, -0.0035, 0.0015};

std::vector<double> mirrored(std::vector<double> values) {
    for (double& value : values) value = -value;
    return values;
}

/// -half … +half about the centre, evenly.
std::vector<double> spread(double centre, double half, int n = 12) {
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) values.push_back(centre - half + 2 * half * i / (n - 1));
    return values;
}

// SciPy: 2 * scipy.stats.wilcoxon(x - 0.005, alternative='greater', method='exact').pvalue for the
// difference, 2 * wilcoxon(x - 0.015, alternative='less', …) for the tie, whose other end has the
// same p-value.
TEST(Verdict, AClaimHasThePValueOfItsEndOfTheInterval) {
    const auto judgements = judge(std::vector<Evidence>{
        {three_percent, 0.015, ""}, {mirrored(three_percent), 0.015, ""}, {nothing, 0.015, ""}});
    ASSERT_EQ(judgements.size(), 3U);
    EXPECT_EQ(judgements[0].verdict, "slower");
    EXPECT_NEAR(judgements[0].p, 2 * 0.000244140625, 1e-15);
    EXPECT_EQ(judgements[1].verdict, "faster");
    EXPECT_NEAR(judgements[1].p, 2 * 0.000244140625, 1e-15);
    EXPECT_EQ(judgements[2].verdict, "tie");
    EXPECT_NEAR(judgements[2].p, 2 * 0.0009765625, 1e-15);
    // Of the two differences the first takes three times its p-value, and so does the only tie.
    EXPECT_NEAR(judgements[0].adjusted_p, 6 * 0.000244140625, 1e-15);
    EXPECT_NEAR(judgements[2].adjusted_p, 6 * 0.0009765625, 1e-15);
}

TEST(Verdict, ATieGoesBeforeADifference) {
    const std::vector<double> small_but_sure = spread(0.01, 0.001);
    EXPECT_EQ(judge(std::vector<Evidence>{{small_but_sure, 0.015, ""}})[0].verdict, "tie");
    EXPECT_EQ(judge(std::vector<Evidence>{{small_but_sure, 0.005, ""}})[0].verdict, "slower");
}

TEST(Verdict, AnIntervalThatReachesFromOneToTheOtherIsUnclear) {
    EXPECT_EQ(judge(std::vector<Evidence>{{spread(0.012, 0.03), 0.015, ""}})[0].verdict, "unclear");
    EXPECT_EQ(judge(std::vector<Evidence>{{spread(0.012, 0.03), 0.015, ""}})[0].p, 1);
    // Sure to be above zero, but not above half a percent.
    EXPECT_EQ(judge(std::vector<Evidence>{{spread(0.012, 0.016), 0.015, ""}})[0].verdict,
              "unclear");
}

TEST(Verdict, DoubtAndTooFewBlocksAreSaid) {
    const auto judgements = judge(std::vector<Evidence>{{three_percent, 0.015, "generator-bound"},
                                                        {{0.1, 0.2, 0.3, 0.4, 0.5}, 0.015, ""}});
    EXPECT_EQ(judgements[0].verdict, "unclear: generator-bound");
    EXPECT_EQ(judgements[1].verdict, "unclear: 5 of the 6 blocks that a 95% interval needs");
}

TEST(Verdict, ManyCellsAskForMoreCertainty) {
    // Seven blocks all on one side have p = 2 * 2^-7 = 0.0156: enough for three cells, not four.
    const Evidence cell{spread(0.05, 0.001, 7), 0.015, ""};
    for (const Judgement& judgement : judge(std::vector<Evidence>(3, cell))) {
        EXPECT_EQ(judgement.verdict, "slower");
        EXPECT_FALSE(judgement.adjusted.has_value());
    }
    for (const Judgement& judgement : judge(std::vector<Evidence>(4, cell))) {
        EXPECT_EQ(judgement.verdict, "unclear: not sure enough among 4 cells");
        EXPECT_DOUBLE_EQ(judgement.p, 0.015625);
        EXPECT_DOUBLE_EQ(judgement.adjusted_p, 0.0625);
    }
    // Those with a doubt are not among them.
    std::vector<Evidence> with_doubt(3, cell);
    with_doubt.push_back({cell.log_ratios, 0.015, "unequal load"});
    EXPECT_EQ(judge(with_doubt)[0].verdict, "slower");
}

TEST(Verdict, TheAdjustedIntervalShowsWhatWasNotSureEnough) {
    // Three blocks that barely differ or do so the other way: the 95% interval clears half a
    // percent, the one at 1 - 0.05/20 does not.
    const std::vector<double> values = {-0.01, 0.003, 0.0,  0.024, 0.025, 0.026,
                                        0.03,  0.033, 0.04, 0.045, 0.05,  0.06};
    ASSERT_EQ(judge(std::vector<Evidence>{{values, 0.015, ""}})[0].verdict, "slower");
    const auto judgements = judge(std::vector<Evidence>(20, {values, 0.015, ""}));
    EXPECT_EQ(judgements[0].verdict, "unclear: not sure enough among 20 cells");
    ASSERT_TRUE(judgements[0].adjusted.has_value());
    const auto wider = signed_rank_interval(values, 1 - 0.05 / 20);
    EXPECT_EQ(judgements[0].adjusted->low, wider->low);
    EXPECT_EQ(judgements[0].adjusted->high, wider->high);
    EXPECT_LE(judgements[0].adjusted->low, log_indifference);
}

TEST(Verdict, SaysWithHowManyBlocksItCanSpeak) {
    // SciPy: the least n with 2 * scipy.stats.binom.cdf(0, n, 0.5) <= 0.05 / cells.
    EXPECT_EQ(blocks_for_verdicts(1), 6);
    EXPECT_EQ(blocks_for_verdicts(2), 7);
    EXPECT_EQ(blocks_for_verdicts(20), 10);
    EXPECT_EQ(blocks_for_verdicts(100), 12);
    for (const int cells : {1, 4, 30}) {
        const int least = blocks_for_verdicts(static_cast<std::size_t>(cells));
        for (const int blocks : {least - 1, least}) {
            const auto judgements = judge(std::vector<Evidence>(
                static_cast<std::size_t>(cells), {spread(0.05, 0.001, blocks), 0.015, ""}));
            EXPECT_EQ(judgements[0].verdict == "slower", blocks == least) << cells;
        }
    }
}

TEST(RareCosts, AreThoseThatTheTypicalSliceDoesNotShow) {
    const std::vector<double> even(10, 0.0);
    EXPECT_FALSE(has_rare_costs(even, 0.015));
    EXPECT_TRUE(has_rare_costs(std::vector<double>(10, 0.008), 0.015))
        << "half the margin is 0.0075";
    EXPECT_TRUE(has_rare_costs(std::vector<double>(10, -0.008), 0.015)) << "of the reference";
    EXPECT_FALSE(has_rare_costs(std::vector<double>(10, 0.007), 0.015));
    const std::vector<double> scattered = {0.05, -0.04, 0.03, -0.06, 0.05, 0.02, -0.03, 0.06};
    EXPECT_FALSE(has_rare_costs(scattered, 0.015)) << "noise in the medians is no rare cost";
    EXPECT_FALSE(has_rare_costs(std::vector<double>(5, 0.1), 0.015)) << "too few blocks to tell";
    EXPECT_FALSE(has_rare_costs({}, 0.015));
}

}  // namespace
}  // namespace loopbench
