// The expected numbers come from SciPy 1.10; each test says by which call.

#include "results/gate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace loopbench {
namespace {

const std::vector<double> three_percent_worse = {0.031, 0.022, 0.035, 0.018, 0.027, 0.041,
                                                 0.013, 0.029, 0.024, 0.033, 0.020, 0.038};

GateCell cell_with(double regression_p, double pass_p) {
    GateCell cell(0.015);
    cell.look_once(regression_p, pass_p);
    return cell;
}

TEST(GateCell, NothingIsKnownBeforeALook) {
    const GateCell cell(0.015);
    EXPECT_EQ(cell.regression_p(), 1);
    EXPECT_EQ(cell.pass_p(), 1);
    EXPECT_FALSE(cell.settled(1));
    EXPECT_EQ(decide(std::vector{cell}), std::vector{Decision::inconclusive});
}

// SciPy: scipy.stats.wilcoxon(x - 0.015, alternative='greater' and 'less', method='exact')
TEST(GateCell, LooksByTheSignedRankTestAtTheMargin) {
    GateCell cell(0.015);
    cell.look(three_percent_worse, 1);
    EXPECT_NEAR(cell.regression_p(), 0.00048828125, 1e-15);
    EXPECT_NEAR(cell.pass_p(), 0.999755859375, 1e-12);
    EXPECT_EQ(decide(std::vector{cell}), std::vector{Decision::regression});
}

TEST(GateCell, ALookCountsByItsWeightAndTheBestOneStands) {
    GateCell cell(0.015);
    cell.look(three_percent_worse, 0.25);
    EXPECT_NEAR(cell.regression_p(), 4 * 0.00048828125, 1e-15);
    EXPECT_EQ(cell.pass_p(), 1);
    const std::vector<double> nothing(12, 0.0);
    cell.look(nothing, 0.75);
    EXPECT_NEAR(cell.regression_p(), 4 * 0.00048828125, 1e-15);
    EXPECT_NEAR(cell.pass_p(), std::ldexp(1.0, -12) / 0.75, 1e-15);
    // Looks that contradict each other say nothing.
    EXPECT_EQ(decide(std::vector{cell}), std::vector{Decision::inconclusive});
}

TEST(Decide, EachSideByHolmAtItsOwnLevel) {
    // Regression: 3 * 0.003 <= 0.01, then 2 * 0.005 <= 0.01. Pass: 3 * 0.016 <= 0.05.
    const std::vector<GateCell> cells = {cell_with(0.003, 1), cell_with(1, 0.016),
                                         cell_with(0.005, 1)};
    EXPECT_EQ(decide(cells),
              (std::vector{Decision::regression, Decision::pass, Decision::regression}));
    // Three such cells alone would find none of it.
    EXPECT_EQ(decide(std::vector<GateCell>(3, cell_with(0.005, 1))),
              std::vector<Decision>(3, Decision::inconclusive));
    EXPECT_EQ(decide(std::vector<GateCell>(4, cell_with(1, 0.016))),
              std::vector<Decision>(4, Decision::inconclusive));
    EXPECT_TRUE(decide({}).empty());
}

TEST(Decide, LessDoubtOfACellNeverTurnsItsDecisionRound) {
    std::mt19937_64 random(3);
    std::exponential_distribution<double> exponent(0.25);
    const auto p = [&] { return std::exp(-exponent(random)); };
    for (int repetition = 0; repetition < 2000; ++repetition) {
        std::vector<GateCell> cells;
        cells.reserve(4);
        for (int i = 0; i < 4; ++i) cells.push_back(cell_with(p(), 1));
        const auto before = decide(cells);
        cells[0].look_once(cells[0].regression_p() / 2, 1);
        const auto after = decide(cells);
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (before[i] != Decision::regression) continue;
            EXPECT_EQ(after[i], before[i]);
        }
    }
}

TEST(Decide, OfASettledCellItSaysTheSameWhateverTheOthersAre) {
    std::mt19937_64 random(4);
    std::exponential_distribution<double> exponent(0.2);
    const auto p = [&] { return std::exp(-exponent(random)); };
    int settled = 0;
    for (int repetition = 0; repetition < 2000; ++repetition) {
        const GateCell one = cell_with(p(), p());
        if (!one.settled(5)) continue;
        ++settled;
        std::vector<GateCell> cells = {one};
        const auto random_cells = [&] {
            cells.resize(1, one);
            while (cells.size() < 5) cells.push_back(cell_with(p(), p()));
            return decide(cells).front();
        };
        const Decision first = random_cells();
        for (int i = 0; i < 10; ++i) EXPECT_EQ(random_cells(), first);
    }
    EXPECT_GT(settled, 200);
    EXPECT_TRUE(cell_with(0.01, 1).settled(1));
    EXPECT_FALSE(cell_with(0.01, 1).settled(2));
    EXPECT_TRUE(cell_with(1, 0.025).settled(2));
    // Sure to be worse among any others, and a pass as well if they are: not yet decided.
    EXPECT_FALSE(cell_with(0.001, 0.04).settled(5));
    EXPECT_TRUE(cell_with(0.001, 0.001).settled(5));
}

TEST(Decide, HasNames) {
    EXPECT_EQ(to_string(Decision::pass), "PASS");
    EXPECT_EQ(to_string(Decision::regression), "REGRESSION");
    EXPECT_EQ(to_string(Decision::inconclusive), "INCONCLUSIVE");
}

// SciPy: the least n with scipy.stats.binom.cdf(0, n, 0.5) <= 0.01 * weight / cells.
TEST(Looks, KnowTheLeastThatFindsARegression) {
    EXPECT_EQ(blocks_for_regression(1, 1), 7);
    EXPECT_EQ(blocks_for_regression(3, 0.2), 11);
    EXPECT_EQ(blocks_for_regression(9, 0.25), 12);
    for (const std::size_t cells : {1, 3, 9}) {
        const int least = blocks_for_regression(cells, 0.5);
        for (const int blocks : {least - 1, least}) {
            GateCell cell(0.015);
            cell.look(std::vector<double>(static_cast<std::size_t>(blocks), 0.1), 0.5);
            EXPECT_EQ(cell.settled(cells), blocks == least) << cells;
        }
    }
}

TEST(Looks, ShareOneChanceAndEndWithWhatThereIs) {
    for (const std::size_t cells : {1, 3, 9, 40}) {
        for (int most = 1; most <= 300; ++most) {
            const Looks looks = plan_looks(most, cells);
            ASSERT_EQ(looks.blocks.size(), looks.weights.size());
            EXPECT_NEAR(std::accumulate(looks.weights.begin(), looks.weights.end(), 0.0), 1, 1e-12);
            EXPECT_EQ(looks.blocks.back(), most);
            for (std::size_t i = 1; i < looks.blocks.size(); ++i) {
                EXPECT_LT(looks.blocks[i - 1], looks.blocks[i]);
            }
            if (looks.blocks.size() == 1) continue;
            EXPECT_GE(looks.blocks.front(), blocks_for_regression(cells, looks.weights.front()));
        }
        EXPECT_GE(plan_looks(60, cells).blocks.size(), 2U);
        EXPECT_EQ(plan_looks(6, cells).blocks, std::vector{6});
    }
}

// SciPy: t = (now - mean(old) - 0.015) / (std(old, ddof=1) * sqrt(1 + 1/6)), then
// scipy.stats.t.sf(t, 5) and scipy.stats.t.cdf(t, 5).
TEST(Sitting, IsHeldAgainstTheOldOnesByStudentsT) {
    const std::vector<double> old = {0.101, 0.094, 0.108, 0.099, 0.103, 0.097};
    const SittingTest worse = test_sitting(old, 0.14, 0.015);
    EXPECT_NEAR(worse.regression_p, 0.0027300756336740076, 1e-12);
    EXPECT_NEAR(worse.pass_p, 0.997269924366326, 1e-12);
    const SittingTest same = test_sitting(old, 0.10, 0.015);
    EXPECT_NEAR(same.regression_p, 0.9832185521315399, 1e-12);
    EXPECT_NEAR(same.pass_p, 0.016781447868460104, 1e-12);
    const SittingTest between = test_sitting(old, 0.12, 0.015);
    EXPECT_NEAR(between.regression_p, 0.208492925258275, 1e-12);
    EXPECT_NEAR(between.pass_p, 0.791507074741725, 1e-12);
}

TEST(Sitting, FewOnesCannotAnswer) {
    const std::vector<double> four = {0.101, 0.094, 0.108, 0.099};
    EXPECT_EQ(test_sitting(four, 0.5, 0.015).regression_p, 1);
    EXPECT_EQ(test_sitting(four, 0.1, 0.015).pass_p, 1);
}

TEST(Sitting, OfExactCountsIsHeldAgainstATenthOfAPercent) {
    const std::vector<double> equal(6, 0.1);
    EXPECT_LT(test_sitting(equal, 0.12, 0.015).regression_p, 0.01);
    EXPECT_LT(test_sitting(equal, 0.1, 0.015).pass_p, 0.01);
    EXPECT_GT(test_sitting(equal, 0.116, 0.015).regression_p, 0.01);
}

// SciPy, z = scipy.stats.norm.ppf:
// exp(margin + (z(1-a) + z(power)) * sd / sqrt((n - z(1-a)**2/2)*3/pi)) with a = 0.01*w/cells
TEST(Planning, SaysWhichSlowdownCanBeFound) {
    EXPECT_NEAR(detectable_slowdown(0.012, 60, 3, 0.5, std::log(1.015)), 1.0226784237960775, 1e-9);
    EXPECT_NEAR(detectable_slowdown(0.02, 40, 1, 1, std::log(1.03), 0.9), 1.0425298086021524, 1e-9);
    EXPECT_EQ(detectable_slowdown(0.012, 9, 3, 0.5, 0.015), HUGE_VAL);
}

// SciPy, z = scipy.stats.norm.ppf: ((z(1-a) + z(power)) * sd / d)**2 / (3/pi) + z(1-a)**2/2, the
// larger of that for a = 0.01*w/cells, d = log(1 + 2*m) - log(1 + m) (19.006, 125.48) and that for
// a = 0.05*w/cells, d = log(1 + m) (13.96, 83.15).
TEST(Planning, SaysHowManyBlocksAMarginNeeds) {
    EXPECT_EQ(blocks_for_margin(0.012, 3, 0.5, std::log(1.015)), 20);
    EXPECT_EQ(blocks_for_margin(0.04, 1, 1, std::log(1.015)), 126);
    EXPECT_EQ(blocks_for_margin(0, 3, 0.5, std::log(1.015)), blocks_for_regression(3, 0.5));
    EXPECT_FALSE(blocks_for_margin(0.012, 3, 0.5, 0).has_value());
}

}  // namespace
}  // namespace loopbench
