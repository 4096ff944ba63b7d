#include "harness/disturbance.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <time.h>

#include <thread>

#include "harness/placement.hpp"
#include "tests/harness/fake_root.hpp"

namespace loopbench {
namespace {

constexpr std::uint64_t ms = 1'000'000;

constexpr const char* schedstat =
    "version 17\n"
    "timestamp 4296000000\n"
    "cpu0 0 0 11 12 13 14 9001 16 17\n"
    "domain0 SMT 3 1 2 3 4 5 6 7 8\n"
    "cpu1 0 0 21 22 23 24 123456789012 26 27\n"
    "cpu10 0 0 31 32 33 34 77 36 37\n";

constexpr const char* stat =
    "cpu  10 20 30 40 50 60 70 80 0 0\n"
    "cpu0 5 10 15 20 25 30 35 41 0 0\n"
    "cpu1 5 10 15 20 25 30 35 39 0 0\n"
    "intr 12 0 0\n";

TEST(DisturbanceTextTest, TimeOfTasksIsTheSeventhFieldOfSchedstat) {
    EXPECT_EQ(parse_schedstat(schedstat, 0), 9001u);
    EXPECT_EQ(parse_schedstat(schedstat, 1), 123456789012u);
    EXPECT_EQ(parse_schedstat(schedstat, 10), 77u);
    EXPECT_FALSE(parse_schedstat(schedstat, 2));
    EXPECT_FALSE(parse_schedstat("cpu0 1 2 3\n", 0));
    EXPECT_FALSE(parse_schedstat("", 0));
}

TEST(DisturbanceTextTest, TheControlGroupTellsItByProcessor) {
    EXPECT_EQ(parse_usage_percpu("25684760685921 27908619439210 \n", 0), 25684760685921u);
    EXPECT_EQ(parse_usage_percpu("25684760685921 27908619439210 \n", 1), 27908619439210u);
    EXPECT_FALSE(parse_usage_percpu("25684760685921 27908619439210 \n", 2));
}

TEST(DisturbanceTextTest, StealIsTheEighthFieldOfAProcessorsLine) {
    EXPECT_EQ(parse_steal(stat, 0), 41u);
    EXPECT_EQ(parse_steal(stat, 1), 39u);
    EXPECT_FALSE(parse_steal(stat, 2));
    EXPECT_FALSE(parse_steal("cpu0 1 2 3 4\n", 0)) << "before Linux 2.6.11";
}

TEST(DisturbanceTextTest, BothVersionsOfControlGroupsTellOfThrottling) {
    EXPECT_EQ(parse_throttled("usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 77\n"),
              4u);
    EXPECT_EQ(parse_throttled("nr_periods 9\nnr_throttled 3\nthrottled_time 77000\n"), 3u);
    EXPECT_FALSE(parse_throttled("usage_usec 5\nuser_usec 3\n"))
        << "a group without the controller";
}

Disturbance reading(std::uint64_t ran_ns) {
    Disturbance reading;
    reading.ran_ns = ran_ns;
    reading.steal_ticks = 100;
    reading.throttled_times = 7;
    return reading;
}

TEST(DisturbanceCauseTest, WhatTheArmUsesItselfIsNoCause) {
    EXPECT_EQ(cause(reading(0), reading(5 * ms), 5 * ms, 5 * ms), "");
    EXPECT_EQ(cause(reading(0), reading(5 * ms), 7 * ms, 5 * ms), "")
        << "its threads may use other processors too";
}

TEST(DisturbanceCauseTest, ATurnOfAnotherProgramIs) {
    const std::string why = cause(reading(0), reading(7 * ms), 5 * ms, 7 * ms);
    EXPECT_NE(why.find("other programs used the processor for 2 ms in 7 ms"), std::string::npos)
        << why;
    EXPECT_NE(cause(reading(0), reading(34 * ms), 30 * ms, 34 * ms), "");
}

TEST(DisturbanceCauseTest, AKernelThreadNowAndThenIsNot) {
    EXPECT_EQ(cause(reading(0), reading(5 * ms + ms / 4), 5 * ms, 5 * ms), "");
    EXPECT_EQ(cause(reading(0), reading(31 * ms), 30 * ms, 31 * ms), "");
}

TEST(DisturbanceCauseTest, TheSoftirqDaemonWorksForTheArm) {
    Disturbance after = reading(9 * ms);
    after.softirq_daemon_ns = 4 * ms;
    EXPECT_EQ(cause(reading(0), after, 5 * ms, 9 * ms), "");
}

TEST(DisturbanceCauseTest, InterruptsThatCannotBeToldApartAreGivenTheBenefitOfTheDoubt) {
    Disturbance after = reading(9 * ms);
    after.blur_ns = 10 * ms;
    EXPECT_EQ(cause(reading(0), after, 5 * ms, 9 * ms), "");
    after.ran_ns = 40 * ms;
    EXPECT_NE(cause(reading(0), after, 5 * ms, 40 * ms), "");
}

TEST(DisturbanceCauseTest, OnlyStealThatIsProvenCounts) {
    Disturbance after = reading(5 * ms);
    after.steal_ticks = 101;
    EXPECT_EQ(cause(reading(0), after, 5 * ms, 5 * ms), "") << "it may have been full by 99%";
    after.steal_ticks = 110;
    const std::string why = cause(reading(0), after, 5 * ms, 105 * ms);
    EXPECT_NE(why.find("hypervisor"), std::string::npos) << why;
    EXPECT_EQ(cause(reading(0), after, 5 * ms, 10'000 * ms), "") << "below 1%";
}

TEST(DisturbanceCauseTest, ThrottlingAlwaysCounts) {
    Disturbance after = reading(5 * ms);
    after.throttled_times = 8;
    EXPECT_NE(cause(reading(0), after, 5 * ms, 5 * ms).find("throttled"), std::string::npos);
}

TEST(DisturbanceCauseTest, WhatIsNotKnownIsNeverACause) {
    EXPECT_EQ(cause(Disturbance{}, Disturbance{}, 1, 5 * ms), "");
    EXPECT_EQ(cause(Disturbance{}, reading(90 * ms), 1, 90 * ms), "");
}

TEST(DisturbanceCauseTest, EachProcessorHasItsOwnUse) {
    const PairDisturbance before{reading(0), reading(0)};
    EXPECT_EQ(cause(before, {reading(5 * ms), reading(4 * ms)}, {5 * ms, 4 * ms}, 5 * ms), "");
    const std::string why =
        cause(before, {reading(5 * ms), reading(9 * ms)}, {5 * ms, 4 * ms}, 9 * ms);
    EXPECT_NE(why.find("driver's processor"), std::string::npos) << why;
    EXPECT_NE(cause(before, {reading(9 * ms), reading(9 * ms)}, {5 * ms, 9 * ms}, 9 * ms), "");
    EXPECT_EQ(cause(before, {reading(9 * ms), reading(9 * ms)}, {5 * ms, 9 * ms, 4 * ms}, 9 * ms),
              "")
        << "the harness may have been anywhere";
}

TEST(DisturbanceCauseTest, InLockstepSutAndDriverShareOne) {
    const PairDisturbance before{reading(0), std::nullopt};
    EXPECT_EQ(cause(before, {reading(9 * ms), std::nullopt}, {5 * ms, 4 * ms}, 9 * ms), "");
}

class DisturbanceReaderTest : public testing::Test {
  protected:
    FakeRoot root_;
};

TEST_F(DisturbanceReaderTest, ReadsEverySourceAgainAndAgain) {
    root_.write("/proc/self/cgroup", "0::/user.slice\n");
    root_.write("/sys/fs/cgroup/user.slice/cpu.stat", "nr_throttled 4\n");
    root_.write("/proc/stat", stat);
    root_.write("/proc/schedstat", schedstat);
    root_.write("/proc/sys/kernel/osrelease", "6.1.0-test\n");
    root_.write("/boot/config-6.1.0-test", "# CONFIG_IRQ_TIME_ACCOUNTING is not set\n");
    root_.write("/proc/9/comm", "ksoftirqd/10\n");
    root_.write("/proc/8/comm", "ksoftirqd/1\n");
    root_.write("/proc/8/schedstat", "555 66 7\n");
    DisturbanceReader reader(1, root_.files());
    EXPECT_EQ(reader.unknown(), "");
    Disturbance now = reader.read();
    EXPECT_EQ(now.ran_ns, 123456789012u);
    EXPECT_EQ(now.blur_ns, 0u);
    EXPECT_EQ(now.softirq_daemon_ns, 555u);
    EXPECT_EQ(now.steal_ticks, 39u);
    EXPECT_EQ(now.throttled_times, 4u);
    root_.write("/sys/fs/cgroup/user.slice/cpu.stat", "nr_throttled 5\n");
    now = reader.read();
    EXPECT_EQ(now.throttled_times, 5u);
}

TEST_F(DisturbanceReaderTest, TheControlGroupIsPreferred) {
    root_.write("/proc/schedstat", schedstat);
    root_.write("/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage_percpu", "31 32 \n");
    EXPECT_EQ(DisturbanceReader(1, root_.files()).read().ran_ns, 32u);
}

TEST_F(DisturbanceReaderTest, InterruptsBlurSchedstatWhereTheKernelMayAccountThem) {
    root_.write("/proc/schedstat", schedstat);
    EXPECT_GT(DisturbanceReader(1, root_.files()).read().blur_ns, 0u);
}

TEST_F(DisturbanceReaderTest, ALongFileIsReadWhole) {
    std::string many;
    for (int cpu = 0; cpu < 400; ++cpu) {
        many += fmt::format("cpu{} 0 0 1 2 3 4 {} 8 9\ndomain0 0 0 0 0 0 0\n", cpu, 1000 + cpu);
    }
    root_.write("/proc/schedstat", many);
    DisturbanceReader reader(399, root_.files());
    EXPECT_EQ(reader.read().ran_ns, 1399u);
    EXPECT_EQ(reader.read().ran_ns, 1399u);
}

TEST_F(DisturbanceReaderTest, SaysWhatCannotBeKnown) {
    DisturbanceReader reader(0, root_.files());
    EXPECT_NE(reader.unknown().find("/proc/schedstat"), std::string::npos) << reader.unknown();
    EXPECT_FALSE(reader.read().ran_ns);
    EXPECT_FALSE(reader.read().steal_ticks);
    EXPECT_FALSE(reader.read().throttled_times);
}

/// Uses 50 ms of a processor, and returns what it used.
std::uint64_t use(int cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<std::size_t>(cpu), &only);
    EXPECT_EQ(sched_setaffinity(0, sizeof only, &only), 0);
    timespec time{};
    std::uint64_t used = 0;
    while (used < 50 * ms) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        used = static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
               static_cast<std::uint64_t>(time.tv_nsec);
    }
    return used;
}

/// Whatever source this machine has must count in nanoseconds: what a thread of ours uses on a
/// processor is in it.
TEST(DisturbanceMachineTest, OurOwnUseIsInWhatTheProcessorRan) {
    const int cpu = allowed_processors().back();
    DisturbanceReader reader(cpu);
    if (!reader.unknown().empty()) GTEST_SKIP() << reader.unknown();
    const Disturbance before = reader.read();
    std::uint64_t used = 0;
    std::thread([&] { used = use(cpu); }).join();
    const Disturbance after = reader.read();
    ASSERT_TRUE(before.ran_ns && after.ran_ns);
    // The thread started on any processor; being moved took it no millisecond.
    EXPECT_GE(*after.ran_ns - *before.ran_ns + ms, used);
}

}  // namespace
}  // namespace loopbench
