#include "results/estimate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace loopbench {
namespace {

/// With an interval of so many percent to either side, on the logarithmic scale.
Estimate estimate(double value, double percent) {
    const double factor = 1 + percent / 100;
    return {value, Interval{value / factor, value * factor}, ""};
}

const Estimate missing{std::nullopt, std::nullopt, "nobody measured it"};

TEST(EstimateTest, ACountIsItsOwnInterval) {
    EXPECT_EQ(exact({0.0, std::nullopt, "counted"}), (Estimate{0.0, Interval{0, 0}, ""}));
    EXPECT_EQ(exact(missing), missing);
}

TEST(EstimateTest, TheInverseTurnsTheInterval) {
    const Estimate half = inverse({4.0, Interval{2, 8}, ""});
    EXPECT_EQ(half, (Estimate{0.25, Interval{0.125, 0.5}, ""}));
    EXPECT_EQ(inverse(missing), missing);
}

TEST(EstimateTest, RelativeErrorsOfAQuotientAddInSquares) {
    const Estimate ratio = quotient(estimate(6, 3), estimate(2, 4));
    EXPECT_NEAR(*ratio.value, 3, 1e-12);
    const double reach = std::hypot(std::log(1.03), std::log(1.04));
    EXPECT_NEAR(ratio.ci95->low, 3 * std::exp(-reach), 1e-9);
    EXPECT_NEAR(ratio.ci95->high, 3 * std::exp(reach), 1e-9);
    EXPECT_EQ(quotient(estimate(6, 3), missing), missing);
    EXPECT_EQ(quotient(missing, estimate(6, 3)), missing);
}

TEST(EstimateTest, CountsHaveAnExactQuotient) {
    const Estimate counted{3.0, std::nullopt, "counted exactly"};
    const Estimate twice{6.0, std::nullopt, "counted exactly"};
    EXPECT_EQ(exact_quotient(twice, counted), (Estimate{2.0, Interval{2, 2}, ""}));
    EXPECT_EQ(exact_quotient(twice, missing), missing);
}

TEST(EstimateTest, GrowthOfTwoPointsIsTheirQuotient) {
    const std::vector<GrowthPoint> points{{10, estimate(2, 3)}, {10'000, estimate(6, 4)}};
    const Estimate growth = fitted_growth(points);
    const Estimate expected = quotient(points[1].figure, points[0].figure);
    EXPECT_NEAR(*growth.value, *expected.value, 1e-9);
    EXPECT_NEAR(growth.ci95->low, expected.ci95->low, 1e-9);
    EXPECT_NEAR(growth.ci95->high, expected.ci95->high, 1e-9);
}

TEST(EstimateTest, APowerLawIsFound) {
    std::vector<GrowthPoint> points;
    for (const double size : {64.0, 256.0, 1024.0, 4096.0}) {
        points.push_back({size, estimate(3 * std::pow(size, 0.5), 2)});
    }
    const Estimate growth = fitted_growth(points);
    EXPECT_NEAR(*growth.value, 8, 1e-9);
    EXPECT_LT(growth.ci95->low, 8);
    EXPECT_GT(growth.ci95->low, 7.5);
}

TEST(EstimateTest, ScatterWidensTheInterval) {
    const double factor = 1.02;
    std::vector<GrowthPoint> points;
    const double values[] = {1.0, 1.1, 0.95};
    const double sizes[] = {1, 2, 4};
    for (int i = 0; i < 3; ++i) points.push_back({sizes[i], estimate(values[i], 2)});
    const Estimate growth = fitted_growth(points);
    const double slope = std::log(0.95) / std::log(4);
    EXPECT_NEAR(std::log(*growth.value), slope * std::log(4), 1e-9);
    // Equal weights: the middle point is off the line by r, of which a third goes to each end.
    const double deviation = std::log(factor) / 1.959963984540054;
    const double off = std::log(1.1) - std::log(0.95) / 2;
    const double birge = std::sqrt(off * off * 2 / 3) / deviation;
    ASSERT_GT(birge, 1);
    const double reach = 1.959963984540054 * birge * deviation / std::sqrt(0.5);
    EXPECT_NEAR(std::log(growth.ci95->high / *growth.value), reach * 1.0, 1e-9);
}

TEST(EstimateTest, PointsWithoutAFigureAreLeftOut) {
    const std::vector<GrowthPoint> points{{1, estimate(1, 1)}, {2, missing}};
    EXPECT_EQ(fitted_growth(points), missing);
}

}  // namespace
}  // namespace loopbench
