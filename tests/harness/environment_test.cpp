#include "harness/environment.hpp"

#include <gtest/gtest.h>

#include "tests/harness/fake_root.hpp"

namespace loopbench {
namespace {

TEST(EnvironmentTest, WhatCannotBeReadIsNull) {
    const FakeRoot root;
    const nlohmann::json environment = read_environment(root.files());
    for (const char* key : {"cpu_model", "governor", "boost", "virtual_machine", "clock_source",
                            "mitigations", "transparent_hugepages", "irq_time_accounting", "aslr",
                            "cgroup_cpu_max", "cgroup_memory_max", "boot_id"}) {
        ASSERT_TRUE(environment.contains(key)) << key;
        EXPECT_TRUE(environment[key].is_null()) << key << " " << environment[key];
    }
    EXPECT_TRUE(environment["kernel"].get<std::string>().starts_with("Linux "));
}

TEST(EnvironmentTest, LimitsOfBothVersionsOfControlGroups) {
    const FakeRoot second;
    second.write("/proc/self/cgroup", "0::/a\n");
    second.write("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    second.write("/sys/fs/cgroup/a/memory.max", "max\n");
    nlohmann::json environment = read_environment(second.files());
    EXPECT_EQ(environment["cgroup_cpu_max"], "50000 100000");
    EXPECT_EQ(environment["cgroup_memory_max"], "max");

    const FakeRoot first;
    first.write("/proc/self/cgroup", "2:cpu:/a\n3:memory:/b\n");
    first.write("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
    first.write("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    first.write("/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "4096\n");
    environment = read_environment(first.files());
    EXPECT_EQ(environment["cgroup_cpu_max"], "-1 100000");
    EXPECT_EQ(environment["cgroup_memory_max"], "4096");
}

TEST(EnvironmentTest, MitigationsAreKeptByName) {
    const FakeRoot root;
    root.write("/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n");
    root.write("/sys/devices/system/cpu/vulnerabilities/retbleed", "Mitigation: IBPB\n");
    EXPECT_EQ(read_environment(root.files())["mitigations"],
              (nlohmann::json{{"meltdown", "Not affected"}, {"retbleed", "Mitigation: IBPB"}}));
}

}  // namespace
}  // namespace loopbench
