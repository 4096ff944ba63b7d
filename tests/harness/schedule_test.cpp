#include "harness/driver/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace loopbench::driver {
namespace {

using std::chrono::nanoseconds;

TEST(ScheduleTest, HoldsExactlyTheMessagesInExactlyTheTimeOfTheRate) {
    Schedule schedule(1);
    for (const std::size_t messages : {1, 2, 1000}) {
        schedule.draw(messages, 20'000);
        const auto times = schedule.times();
        ASSERT_EQ(times.size(), messages);
        EXPECT_EQ(schedule.length(), nanoseconds(50'000 * messages));
        EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
        EXPECT_GE(times.front(), nanoseconds(0));
        EXPECT_LT(times.back(), schedule.length());
    }
}

TEST(ScheduleTest, IsAFunctionOfItsSeedAndOfTheSlicesBefore) {
    Schedule one(7);
    Schedule same(7);
    Schedule other(8);
    const auto draw = [](Schedule& schedule) {
        schedule.draw(100, 1000);
        return std::vector<nanoseconds>(schedule.times().begin(), schedule.times().end());
    };
    const auto first = draw(one);
    EXPECT_EQ(draw(same), first);
    EXPECT_NE(draw(other), first);
    const auto second = draw(one);
    EXPECT_NE(second, first) << "every slice has a schedule of its own";
    EXPECT_EQ(draw(same), second);
}

// In a Poisson process gaps are distributed exponentially: a share exp(-x) of them is longer than x
// times their mean. The seed is fixed, and 0.01 is three standard errors.
TEST(ScheduleTest, ItsGapsAreExponential) {
    constexpr std::size_t messages = 20'000;
    Schedule schedule(3);
    schedule.draw(messages, 1'000'000);
    const auto times = schedule.times();
    for (const double x : {0.1, 0.5, 1.0, 2.0, 4.0}) {
        std::size_t longer = 0;
        for (std::size_t i = 1; i < messages; ++i) {
            if (static_cast<double>((times[i] - times[i - 1]).count()) > x * 1000) ++longer;
        }
        EXPECT_NEAR(static_cast<double>(longer) / messages, std::exp(-x), 0.01) << x;
    }
}

}  // namespace
}  // namespace loopbench::driver
