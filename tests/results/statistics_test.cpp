// The expected numbers come from R 4.2 and SciPy 1.10; each test says by which call.

#include "results/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace loopbench {
namespace {

const std::vector<double> ten = {1.2, 0.5, -0.3, 2.1, 0.9, 1.7, -0.8, 0.4, 1.1, 0.6};
const std::vector<double> twenty = {0.011,  0.013,  0.009,  0.021,   -0.004, 0.017,  0.002,
                                    0.03,   0.0055, 0.0125, -0.0015, 0.008,  0.0195, 0.0145,
                                    0.0007, 0.026,  0.0101, -0.0093, 0.0061, 0.0152};

/// The pseudomedian, its interval and the confidence that this interval really has.
struct Expected {
    double estimate, low, high, confidence;
};

void expect_signed_rank(const std::vector<double>& values, double confidence, Expected expected) {
    EXPECT_NEAR(hodges_lehmann(values), expected.estimate, 1e-12);
    const auto interval = signed_rank_interval(values, confidence);
    ASSERT_TRUE(interval.has_value());
    EXPECT_NEAR(interval->low, expected.low, 1e-12);
    EXPECT_NEAR(interval->high, expected.high, 1e-12);
    EXPECT_NEAR(interval->confidence, expected.confidence, 1e-12);
}

// R: wilcox.test(x, conf.int=TRUE, exact=TRUE, conf.level=…) for the estimate and the interval,
// 1 - 2*psignrank(qsignrank((1-conf.level)/2, n) - 1, n) for the confidence it has.
TEST(SignedRankInterval, AgreesWithR) {
    expect_signed_rank(ten, 0.95, {0.75, 0.10, 1.35, 0.951171875});
    expect_signed_rank(twenty, 0.99, {0.01035, 0.00375, 0.01700, 0.990564346313477});
    expect_signed_rank({3, 1, 4, 1.5, 9, 2.6}, 0.95, {2.8, 1, 9, 0.96875});
}

// R: the same with 200 values, exact there as here.
TEST(SignedRankInterval, IsExactForTwoHundredValues) {
    std::vector<double> values;
    for (int i = 0; i < 200; ++i) values.push_back(std::pow(0.01 + i * (1.99 / 199), 2));
    expect_signed_rank(values, 0.95, {1.28205, 1.07780, 1.48725, 0.950030368700025});
}

// R: the same with 260 values, where R is exact and this is the normal approximation.
TEST(SignedRankInterval, NormalApproximationIsCloseToTheExactOne) {
    std::vector<double> values;
    for (int i = 1; i <= 260; ++i) values.push_back(i * i / 1000.0);
    const auto interval = signed_rank_interval(values);
    ASSERT_TRUE(interval.has_value());
    EXPECT_NEAR(interval->low, 18.6125, 0.01);
    EXPECT_NEAR(interval->high, 24.6690, 0.01);
    EXPECT_NEAR(interval->confidence, 0.950077348761944, 1e-4);
}

TEST(SignedRankInterval, NeedsSixValuesAtNinetyFivePercent) {
    EXPECT_EQ(signed_rank_values_needed(0.95), 6U);
    EXPECT_EQ(signed_rank_values_needed(0.96875), 6U);  // exactly 1 - 2 * 2^-6
    EXPECT_EQ(signed_rank_values_needed(0.99), 8U);
    EXPECT_EQ(signed_rank_values_needed(0.999), 11U);
    for (const double confidence : {0.9, 0.95, 0.99, 0.999}) {
        std::vector<double> values;
        for (std::size_t n = 0; n <= 12; ++n) {
            const bool enough = n >= signed_rank_values_needed(confidence);
            EXPECT_EQ(signed_rank_interval(values, confidence).has_value(), enough) << n;
            EXPECT_EQ(median_interval(values, confidence).has_value(), enough) << n;
            values.push_back(static_cast<double>(n));
        }
    }
}

TEST(SignedRankInterval, IsAPointWhenAllValuesAreEqual) {
    const std::vector<double> same(8, 0.25);
    expect_signed_rank(same, 0.95, {0.25, 0.25, 0.25, signed_rank_interval(same)->confidence});
    EXPECT_GE(signed_rank_interval(same)->confidence, 0.95);
}

TEST(SignedRankInterval, MovesWithTheValuesAndMirrors) {
    std::vector<double> moved;
    std::vector<double> mirrored;
    for (const double value : twenty) {
        moved.push_back(value + 3);
        mirrored.push_back(-value);
    }
    const auto interval = *signed_rank_interval(twenty);
    EXPECT_NEAR(signed_rank_interval(moved)->low, interval.low + 3, 1e-12);
    EXPECT_NEAR(signed_rank_interval(mirrored)->low, -interval.high, 1e-12);
    EXPECT_NEAR(signed_rank_interval(mirrored)->high, -interval.low, 1e-12);
}

/// The share of `repetitions` in which `interval` covers 0.
double coverage(int n, int repetitions, const std::function<double()>& draw,
                const std::function<Interval(std::span<const double>)>& interval_of) {
    int covered = 0;
    for (int repetition = 0; repetition < repetitions; ++repetition) {
        std::vector<double> values(static_cast<std::size_t>(n));
        for (double& value : values) value = draw();
        const Interval interval = interval_of(values);
        covered += interval.low <= 0 && 0 <= interval.high;
    }
    return static_cast<double>(covered) / repetitions;
}

TEST(SignedRankInterval, CoversTheCentreOfSymmetricDataAsOftenAsItSays) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    std::student_t_distribution<double> heavy(2);
    std::uniform_real_distribution<double> uniform(-1, 1);
    const auto interval = [](std::span<const double> values) {
        return *signed_rank_interval(values);
    };
    for (const int n : {10, 20, 30}) {
        for (const std::function<double()>& draw :
             {std::function<double()>([&] { return normal(random); }),
              std::function<double()>([&] { return heavy(random); }),
              std::function<double()>([&] { return uniform(random); })}) {
            const double share = coverage(n, 2000, draw, interval);
            EXPECT_GT(share, 0.93) << n;
            EXPECT_LT(share, 0.97) << n;
        }
    }
}

TEST(MedianInterval, CoversTheMedianOfSkewedDataAsOftenAsItSays) {
    std::mt19937_64 random(2);
    std::exponential_distribution<double> skewed(std::log(2.0));  // its median is 1
    const double share = coverage(
        20, 4000, [&] { return skewed(random) - 1; },
        [](std::span<const double> values) { return *median_interval(values); });
    EXPECT_GT(share, 0.945);  // 0.9586 by the binomial distribution
    EXPECT_LT(share, 0.97);
}

// SciPy: scipy.stats.binom.cdf(k-1, n, 0.5): 0.0107421875 for k=2, n=10 and 0.017600100108852428
// for k=40, n=100 (R's qbinom(0.025, n, 0.5) gives the same k).
TEST(MedianInterval, TakesTheOrderStatisticsOfTheBinomial) {
    const auto of_ten = median_interval(ten);
    ASSERT_TRUE(of_ten.has_value());
    EXPECT_EQ(static_cast<Interval>(*of_ten), (Interval{-0.3, 1.7}));
    EXPECT_NEAR(of_ten->confidence, 1 - 2 * 0.0107421875, 1e-12);

    std::vector<double> hundred;
    for (int i = 100; i >= 1; --i) hundred.push_back(i);
    const auto of_hundred = median_interval(hundred);
    ASSERT_TRUE(of_hundred.has_value());
    EXPECT_EQ(static_cast<Interval>(*of_hundred), (Interval{40, 61}));
    EXPECT_NEAR(of_hundred->confidence, 1 - 2 * 0.017600100108852428, 1e-12);
}

TEST(Median, IsTheMiddle) {
    EXPECT_EQ(median(std::vector<double>{3}), 3);
    EXPECT_EQ(median(std::vector<double>{3, 1}), 2);
    EXPECT_EQ(median(std::vector<double>{9, 1, 4}), 4);
    EXPECT_EQ(median(std::vector<double>{4, 1, 9, 2}), 3);
    EXPECT_EQ(median(std::vector<double>{5, 5, 5, 5}), 5);
    EXPECT_EQ(hodges_lehmann(std::vector<double>{3}), 3);
    EXPECT_EQ(hodges_lehmann(std::vector<double>{1, 2}), 1.5);
}

// NumPy: numpy.std(x, ddof=1)
TEST(StandardDeviation, AgreesWithNumPy) {
    EXPECT_NEAR(standard_deviation(ten), 0.8682037651253177, 1e-12);
    EXPECT_EQ(standard_deviation(std::vector<double>{2, 2}), 0);
}

// SciPy: scipy.stats.wilcoxon(x - shift, alternative=…, method='exact'); two-sided also by R's
// wilcox.test(x, exact=TRUE).
TEST(SignedRankTest, AgreesWithSciPyWithoutTies) {
    EXPECT_NEAR(signed_rank_p_value(ten, 0, Alternative::greater), 0.013671875, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(ten, 0, Alternative::less), 0.990234375, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(ten, 0, Alternative::two_sided), 0.02734375, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(twenty, 0.00473, Alternative::greater), 0.0107421875, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(twenty, 0.00473, Alternative::less), 0.9903831481933594, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(twenty, 0, Alternative::two_sided), 0.000261306762695312,
                1e-12);
}

// SciPy: the zeros removed, then scipy.stats.permutation_test((d,), the sum of rankdata(|d|) where
// d > 0, permutation_type='samples', n_resamples=inf, alternative=…), which tries all signs.
TEST(SignedRankTest, TiesShareTheirRanksAndZerosAreLeftOut) {
    const std::vector<double> with_zero = {1, 1, 2, -1, 3, 0, 2, -2, 4, 3, 0.5};
    EXPECT_NEAR(signed_rank_p_value(with_zero, 0, Alternative::greater), 0.03125, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(with_zero, 0, Alternative::less), 0.978515625, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(with_zero, 0, Alternative::two_sided), 0.0625, 1e-12);
    const std::vector<double> shifted = {1, 1, 2, 1, 3, 2, -2};
    EXPECT_NEAR(signed_rank_p_value(shifted, 0.5, Alternative::greater), 0.140625, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(shifted, 0.5, Alternative::less), 0.921875, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(shifted, 0.5, Alternative::two_sided), 0.28125, 1e-12);
}

// SciPy: scipy.stats.wilcoxon(v, correction=True, method='approx', alternative=…).
TEST(SignedRankTest, NormalApproximationAgreesWithSciPy) {
    std::vector<double> values;
    for (int i = 1; i <= 250; ++i) values.push_back((i * 37 % 251) / 100.0 - 1.1);
    EXPECT_NEAR(signed_rank_p_value(values, 0, Alternative::greater), 0.0008340701049770386, 1e-12);
    EXPECT_NEAR(signed_rank_p_value(values, 0, Alternative::two_sided), 0.0016681402099540772,
                1e-12);
}

TEST(SignedRankTest, DegenerateInputDecidesNothing) {
    const std::vector<double> none;
    const std::vector<double> zeros(7, 0.0);
    for (const auto alternative :
         {Alternative::less, Alternative::greater, Alternative::two_sided}) {
        EXPECT_EQ(signed_rank_p_value(none, 0, alternative), 1);
        EXPECT_EQ(signed_rank_p_value(zeros, 0, alternative), 1);
    }
    EXPECT_EQ(signed_rank_p_value(std::vector<double>{1}, 0, Alternative::greater), 0.5);
    EXPECT_EQ(signed_rank_p_value(std::vector<double>{1}, 0, Alternative::two_sided), 1);
    // All on one side: 2^-n, however much they are tied.
    EXPECT_EQ(signed_rank_p_value(zeros, -1, Alternative::greater), std::ldexp(1.0, -7));
}

TEST(SignedRankTest, KeepsItsDigitsWhenTiny) {
    std::vector<double> values;
    for (int i = 1; i <= 200; ++i) values.push_back(i);
    EXPECT_DOUBLE_EQ(signed_rank_p_value(values, 0, Alternative::greater), std::ldexp(1.0, -200));
}

TEST(SignedRankTest, BelongsToTheInterval) {
    // A shift is rejected at 5%, two-sided, just when it lies outside the 95% interval.
    const Interval interval = *signed_rank_interval(twenty);
    const double step = 1e-6;
    EXPECT_GT(signed_rank_p_value(twenty, interval.low + step, Alternative::two_sided), 0.05);
    EXPECT_LE(signed_rank_p_value(twenty, interval.low - step, Alternative::two_sided), 0.05);
    EXPECT_GT(signed_rank_p_value(twenty, interval.high - step, Alternative::two_sided), 0.05);
    EXPECT_LE(signed_rank_p_value(twenty, interval.high + step, Alternative::two_sided), 0.05);
}

// R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "holm")
TEST(Holm, AgreesWithR) {
    const std::vector<double> adjusted = holm(std::vector<double>{0.01, 0.04, 0.03, 0.005, 0.5});
    const std::vector<double> expected = {0.040, 0.090, 0.090, 0.025, 0.500};
    ASSERT_EQ(adjusted.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-12);
    EXPECT_EQ(holm(std::vector<double>{0.6, 0.7}), (std::vector<double>{1, 1}));
    EXPECT_TRUE(holm({}).empty());
}

// R: acf(x, lag.max=1, plot=FALSE)$acf[2]
TEST(Autocorrelation, AgreesWithR) {
    const std::vector<double> series = {0.01, 0.02, 0.03, 0.02, 0.05, 0.04, 0.01, -0.01};
    ASSERT_TRUE(lag1_autocorrelation(series).has_value());
    EXPECT_NEAR(*lag1_autocorrelation(series), 0.255653266331658, 1e-12);
    EXPECT_FALSE(lag1_autocorrelation(std::vector<double>{1, 2}).has_value());
    EXPECT_FALSE(lag1_autocorrelation(std::vector<double>(9, 0.1)).has_value());
}

TEST(Blocks, MergeTwoByTwoAndDropNone) {
    const std::vector<BlockSum> five = {{1, 10}, {2, 20}, {3, 30}, {4, 40}, {5, 50}};
    EXPECT_EQ(merge_adjacent(five), (std::vector<BlockSum>{{3, 30}, {12, 120}}));
    EXPECT_EQ(merge_adjacent(std::span(five).first(4)), (std::vector<BlockSum>{{3, 30}, {7, 70}}));
    EXPECT_EQ(merge_adjacent(std::span(five).first(1)), (std::vector<BlockSum>{{1, 10}}));
    EXPECT_TRUE(merge_adjacent({}).empty());
}

TEST(Blocks, RatiosAreOfTotalsPerOperation) {
    const std::vector<BlockSum> arm = {{300, 10}, {50, 5}};
    const std::vector<BlockSum> reference = {{200, 20}, {40, 2}};
    const auto ratios = log_ratios(arm, reference);
    ASSERT_TRUE(ratios.has_value());
    EXPECT_NEAR(std::exp((*ratios)[0]), 3, 1e-12);
    EXPECT_NEAR(std::exp((*ratios)[1]), 0.5, 1e-12);
    const std::vector<BlockSum> with_zero = {{0, 10}, {1, 10}};
    EXPECT_FALSE(log_ratios(with_zero, reference).has_value());
    EXPECT_FALSE(log_ratios(arm, with_zero).has_value());
}

/// The arm's blocks, of a reference that always costs 100 an operation, by their log-ratios.
std::vector<BlockSum> blocks_of(const std::vector<double>& log_ratios) {
    std::vector<BlockSum> blocks;
    for (const double value : log_ratios) blocks.push_back({1000 * std::exp(value), 10});
    return blocks;
}

TEST(Blocks, AreMergedOnceWhenTheyAreCorrelated) {
    const std::vector<BlockSum> reference(8, {1000, 10});
    const auto alternating =
        independent_log_ratios(blocks_of({0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1}), reference);
    ASSERT_TRUE(alternating.has_value());
    EXPECT_FALSE(alternating->merged);
    EXPECT_EQ(alternating->log_ratios.size(), 8U);

    const std::vector<double> rising = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
    const auto merged = independent_log_ratios(blocks_of(rising), reference);
    ASSERT_TRUE(merged.has_value());
    EXPECT_TRUE(merged->merged);
    ASSERT_EQ(merged->log_ratios.size(), 4U);  // still correlated, and yet merged no further
    EXPECT_NEAR(merged->log_ratios[0], std::log((std::exp(0.1) + std::exp(0.2)) / 2), 1e-12);

    EXPECT_FALSE(independent_log_ratios(std::vector<BlockSum>(8, {0, 10}), reference).has_value());
    EXPECT_TRUE(independent_log_ratios({}, {})->log_ratios.empty());
}

TEST(Ratio, IsTheSameReadFromEitherSide) {
    const RatioEstimate ratio = ratio_interval(twenty);
    std::vector<double> inverted;
    for (const double value : twenty) inverted.push_back(-value);
    const RatioEstimate inverse = ratio_interval(inverted);
    EXPECT_EQ(ratio.n, 20U);
    EXPECT_NEAR(ratio.ratio, std::exp(hodges_lehmann(twenty)), 1e-15);
    ASSERT_TRUE(ratio.interval && inverse.interval);
    EXPECT_NEAR(ratio.ratio * inverse.ratio, 1, 1e-12);
    EXPECT_NEAR(ratio.interval->low * inverse.interval->high, 1, 1e-12);
    EXPECT_FALSE(ratio_interval(std::span(twenty).first(5)).interval.has_value());
}

}  // namespace
}  // namespace loopbench
