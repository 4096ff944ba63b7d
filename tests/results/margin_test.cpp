#include "results/margin.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "results/metrics.hpp"

namespace loopbench {
namespace {

TEST(Margin, FollowsWhatIsMeasuredAndWhere) {
    EXPECT_EQ(default_margin("cpu_ns_per_op", "lockstep"), (Margin{0.015, 0}));
    EXPECT_EQ(default_margin("cpu_ns_per_op", "split"), (Margin{0.015, 0}));
    EXPECT_EQ(default_margin("throughput", "lockstep"), (Margin{0.03, 0}));
    EXPECT_EQ(default_margin("throughput", "split"), (Margin{0.05, 0}));
    EXPECT_EQ(default_margin("bytes_per_second", "split"), (Margin{0.05, 0}));
    EXPECT_EQ(default_margin("latency_p50", "split"), (Margin{0.10, 0}));
    EXPECT_EQ(default_margin("latency_p99", "split"), (Margin{0.25, 0}));
    EXPECT_EQ(default_margin("lateness_p90", "lockstep"), (Margin{0.10, 0}));
    EXPECT_EQ(default_margin("syscalls_per_op", "lockstep"), (Margin{0.01, 0.02}));
}

TEST(Margin, LetsANanosecondPassInsideTheProcess) {
    EXPECT_EQ(default_margin("cpu_ns_per_switch", "in-process"), (Margin{0.015, 1}));
    EXPECT_EQ(default_margin("lateness_p99", "in-process"), (Margin{0.25, 1}));
    EXPECT_EQ(default_margin("task_switches_per_second", "in-process"), (Margin{0.03, 0}));
    EXPECT_EQ(default_margin("syscalls_per_op", "in-process"), (Margin{0.01, 0.02}));
}

TEST(Margin, ExistsForEveryMetricAndForOnesYetToCome) {
    for (const auto& metric : metric_definitions()) {
        const Margin margin = default_margin(metric.name, "lockstep");
        EXPECT_GE(margin.relative, 0.01) << metric.name;
        EXPECT_LE(margin.relative, 0.25) << metric.name;
    }
    EXPECT_EQ(default_margin("of_another_version", "lockstep"), (Margin{0.05, 0}));
}

TEST(Margin, GivenOneReplacesShareAndAmount) {
    const Margins given = {{"syscalls_per_op", 0.5}, {"cpu_ns_per_switch", 0}};
    EXPECT_EQ(choose_margin(given, "syscalls_per_op", "lockstep"), (Margin{0.5, 0}));
    EXPECT_EQ(choose_margin(given, "cpu_ns_per_switch", "in-process"), (Margin{0, 0}));
    EXPECT_EQ(choose_margin(given, "throughput", "split"), default_margin("throughput", "split"));
}

TEST(Margin, IsTheLargerOfShareAndAmount) {
    const Margin margin{0.01, 0.02};
    EXPECT_NEAR(log_margin(margin, 0.5), std::log(1.04), 1e-15);
    EXPECT_NEAR(log_margin(margin, 2), std::log(1.01), 1e-15);
    EXPECT_NEAR(log_margin(margin, 8), std::log(1.01), 1e-15);
    EXPECT_EQ(log_margin({}, 8), 0);
}

}  // namespace
}  // namespace loopbench
