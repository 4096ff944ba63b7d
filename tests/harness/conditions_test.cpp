#include "harness/conditions.hpp"

#include <gtest/gtest.h>

#include "tests/harness/fake_root.hpp"

namespace loopbench {
namespace {

const Processors pair{3, 2};
const Processors alone{0, std::nullopt};

TEST(ConditionsTextTest, ListsOfProcessors) {
    EXPECT_EQ(parse_processor_list("0-2,8"), (std::vector<int>{0, 1, 2, 8}));
    EXPECT_EQ(parse_processor_list("5"), std::vector<int>{5});
    EXPECT_TRUE(parse_processor_list("").empty());
    EXPECT_TRUE(parse_processor_list("\n").empty());
}

TEST(ConditionsTextTest, BusyProcessorsComeFromTwoReadings) {
    const char* before = "cpu  100 0 0 100 0 0 0 0 0 0\ncpu0 50 0\ncpu1 50 0\nintr 1\n";
    EXPECT_DOUBLE_EQ(
        *busy_processors(before, "cpu  110 0 0 130 0 0 0 0 0 0\ncpu0 50 0\ncpu1 50 0\nintr 1\n"),
        0.5);
    EXPECT_DOUBLE_EQ(
        *busy_processors(before, "cpu  100 0 0 120 20 0 0 0 0 0\ncpu0 50 0\ncpu1 50 0\nintr 1\n"),
        0)
        << "waiting for a disk is idle";
    EXPECT_FALSE(busy_processors(before, before));
    EXPECT_FALSE(busy_processors("", ""));
}

class ConditionsTest : public testing::Test {
  protected:
    void expect_grade(std::optional<Grade> grade, const Finding& finding) {
        EXPECT_EQ(finding.grade, grade) << finding.check << ": " << finding.text;
        EXPECT_EQ(finding.text.empty(), !grade.has_value());
        EXPECT_EQ(finding.remedy.empty(), !grade.has_value());
    }
    FakeRoot root_;
    SystemFiles files_ = root_.files();
};

TEST_F(ConditionsTest, WhatIsNotToldIsNotHeldAgainstTheMachine) {
    for (const Finding& finding :
         {check_siblings(files_, pair), check_isolation(files_, pair), check_governor(files_, pair),
          check_boost(files_), check_virtual_machine(files_), check_quota(files_),
          check_clock_source(files_), check_irq_accounting(files_), check_hugepages(files_),
          check_address_layout(files_), check_swap(files_)}) {
        expect_grade(std::nullopt, finding);
        EXPECT_FALSE(finding.shown.empty()) << finding.id;
    }
}

TEST_F(ConditionsTest, OneProcessorMeansLockstepOnly) {
    expect_grade(std::nullopt, check_processors(pair, 4));
    expect_grade(Grade::note, check_processors(alone, 1));
    EXPECT_EQ(check_processors(alone, 1).id, "one_processor");
}

TEST_F(ConditionsTest, ThreadsOfOneCoreAreTold) {
    const std::string path = "/sys/devices/system/cpu/cpu3/topology/thread_siblings_list";
    root_.write(path, "1,3\n");
    expect_grade(std::nullopt, check_siblings(files_, pair));
    root_.write(path, "2-3\n");
    expect_grade(Grade::note, check_siblings(files_, pair));
    expect_grade(std::nullopt, check_siblings(files_, {3, std::nullopt}));
}

TEST_F(ConditionsTest, IsolatedProcessorsAreRecommended) {
    root_.write("/sys/devices/system/cpu/isolated", "2-3\n");
    expect_grade(std::nullopt, check_isolation(files_, pair));
    const Finding finding = check_isolation(files_, alone);
    expect_grade(Grade::note, finding);
    EXPECT_EQ(finding.remedy, "--cpus=2,3");
}

TEST_F(ConditionsTest, TheGovernorOfTheSutsProcessorCounts) {
    root_.write("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    root_.write("/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n");
    expect_grade(std::nullopt, check_governor(files_, pair));
    expect_grade(Grade::note, check_governor(files_, alone));
}

TEST_F(ConditionsTest, BoostHasTwoSwitchesWithOppositeSense) {
    root_.write("/sys/devices/system/cpu/cpufreq/boost", "1\n");
    expect_grade(Grade::note, check_boost(files_));
    root_.write("/sys/devices/system/cpu/cpufreq/boost", "0\n");
    expect_grade(std::nullopt, check_boost(files_));
    root_.write("/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
    const Finding finding = check_boost(files_);
    expect_grade(Grade::note, finding);
    EXPECT_EQ(finding.remedy, "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo");
}

TEST_F(ConditionsTest, AVirtualMachineIsKnownByItsFlag) {
    root_.write("/proc/cpuinfo", "processor : 0\nflags : fpu hypervisory tsc\n");
    expect_grade(std::nullopt, check_virtual_machine(files_));
    root_.write("/proc/cpuinfo", "processor : 0\nflags : fpu tsc hypervisor\n");
    expect_grade(Grade::note, check_virtual_machine(files_));
}

TEST_F(ConditionsTest, AQuotaBelowOneProcessorIsHopeless) {
    root_.write("/proc/self/cgroup", "0::/\n");
    root_.write("/sys/fs/cgroup/cpu.max", "max 100000\n");
    EXPECT_FALSE(processor_quota(files_));
    expect_grade(std::nullopt, check_quota(files_));
    root_.write("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    EXPECT_DOUBLE_EQ(*processor_quota(files_), 1.5);
    expect_grade(Grade::note, check_quota(files_));
    root_.write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    expect_grade(Grade::unfit, check_quota(files_));
    root_.write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    expect_grade(std::nullopt, check_quota(files_));
}

TEST_F(ConditionsTest, AQuotaOfVersionOneIsFoundToo) {
    root_.write("/proc/self/cgroup", "4:cpu,cpuacct:/a\n");
    root_.write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    root_.write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    EXPECT_FALSE(processor_quota(files_));
    root_.write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "70000\n");
    EXPECT_DOUBLE_EQ(*processor_quota(files_), 0.7);
}

TEST_F(ConditionsTest, AClockSourceThatTakesASystemCallIsTold) {
    const std::string path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    root_.write(path, "tsc\n");
    expect_grade(std::nullopt, check_clock_source(files_));
    root_.write(path, "hpet\n");
    expect_grade(Grade::note, check_clock_source(files_));
}

TEST_F(ConditionsTest, SettingsOfTheKernel) {
    root_.write("/proc/sys/kernel/osrelease", "6.1.0\n");
    root_.write("/boot/config-6.1.0", "CONFIG_IRQ_TIME_ACCOUNTING=y\n");
    expect_grade(std::nullopt, check_irq_accounting(files_));
    root_.write("/boot/config-6.1.0", "# CONFIG_IRQ_TIME_ACCOUNTING is not set\n");
    expect_grade(Grade::note, check_irq_accounting(files_));

    root_.write("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
    expect_grade(Grade::note, check_hugepages(files_));
    root_.write("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
    expect_grade(std::nullopt, check_hugepages(files_));
    EXPECT_EQ(check_hugepages(files_).value, "never");

    root_.write("/proc/sys/kernel/randomize_va_space", "0\n");
    expect_grade(Grade::note, check_address_layout(files_));
    root_.write("/proc/sys/kernel/randomize_va_space", "2\n");
    expect_grade(std::nullopt, check_address_layout(files_));

    root_.write("/proc/meminfo", "MemTotal: 9 kB\nSwapTotal:    4096 kB\nSwapFree:  4096 kB\n");
    expect_grade(std::nullopt, check_swap(files_));
    root_.write("/proc/meminfo", "MemTotal: 9 kB\nSwapTotal:    4096 kB\nSwapFree:  1024 kB\n");
    expect_grade(Grade::note, check_swap(files_));
    EXPECT_EQ(check_swap(files_).value, 3072 * 1024);
}

TEST_F(ConditionsTest, AMeasurementIsToldWhatBearsOnItsFiguresOnly) {
    root_.write("/proc/cpuinfo", "flags : hypervisor\n");
    root_.write("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    std::vector<std::string> told;
    for (const Finding& finding : check_before_measuring(files_, alone, true)) {
        if (finding.grade) told.push_back(to_warning(finding).id);
    }
    EXPECT_EQ(told, (std::vector<std::string>{"one_processor", "governor"}));
    told.clear();
    for (const Finding& finding : check_before_measuring(files_, alone, false)) {
        if (finding.grade) told.push_back(finding.id);
    }
    EXPECT_EQ(told, std::vector<std::string>{"governor"}) << "in process there is no driver";
}

}  // namespace
}  // namespace loopbench
