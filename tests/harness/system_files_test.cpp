#include "harness/system_files.hpp"

#include <gtest/gtest.h>

#include "tests/harness/fake_root.hpp"

namespace loopbench {
namespace {

class SystemFilesTest : public testing::Test {
  protected:
    FakeRoot root_;
    SystemFiles files_ = root_.files();
};

TEST_F(SystemFilesTest, TextNumberAndField) {
    root_.write("/a", "word \n\n");
    root_.write("/n", "-12\n");
    root_.write("/cpuinfo", "processor\t: 0\nmodel name\t: A B C\nflags\t:\nmodel name\t: D\n");
    EXPECT_EQ(files_.text("/a"), "word");
    EXPECT_FALSE(files_.text("/b"));
    EXPECT_EQ(files_.number("/n"), -12);
    EXPECT_FALSE(files_.number("/a"));
    EXPECT_EQ(files_.field("/cpuinfo", "model name"), "A B C");
    EXPECT_FALSE(files_.field("/cpuinfo", "flags"));
    EXPECT_FALSE(files_.field("/cpuinfo", "cores"));
}

TEST_F(SystemFilesTest, NamesAreSorted) {
    root_.write("/d/b", "");
    root_.write("/d/a", "");
    EXPECT_EQ(files_.names_in("/d"), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(files_.names_in("/e").empty());
}

TEST_F(SystemFilesTest, KernelOptionsAreReadWhereTheKernelShowsThem) {
    EXPECT_FALSE(files_.kernel_option("CONFIG_A").has_value());
    root_.write("/proc/sys/kernel/osrelease", "6.1.0\n");
    root_.write("/boot/config-6.1.0", "CONFIG_AB=y\n# CONFIG_B is not set\nCONFIG_C=y\n");
    EXPECT_EQ(files_.kernel_option("CONFIG_AB"), true);
    EXPECT_EQ(files_.kernel_option("CONFIG_A"), false);
    EXPECT_EQ(files_.kernel_option("CONFIG_B"), false);
    EXPECT_EQ(files_.kernel_option("CONFIG_C"), true);
}

TEST_F(SystemFilesTest, TheControlGroupOfVersionTwo) {
    root_.write("/proc/self/cgroup", "0::/user.slice/a\n");
    root_.write("/sys/fs/cgroup/user.slice/a/cpu.max", "max 100000\n");
    EXPECT_EQ(files_.control_group_file("cpu", "cpu.max"), "/sys/fs/cgroup/user.slice/a/cpu.max");
    EXPECT_FALSE(files_.control_group_file("cpu", "cpu.stat"));
}

TEST_F(SystemFilesTest, TheControlGroupOfVersionOne) {
    root_.write("/proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/y:z\n0::/\n");
    root_.write("/sys/fs/cgroup/cpu,cpuacct/y:z/cpu.cfs_quota_us", "-1\n");
    root_.write("/sys/fs/cgroup/memory/x/cpu.cfs_quota_us", "wrong\n");
    EXPECT_EQ(files_.control_group_file("cpu", "cpu.cfs_quota_us"),
              "/sys/fs/cgroup/cpu,cpuacct/y:z/cpu.cfs_quota_us");
}

TEST_F(SystemFilesTest, InAContainerTheMountIsTheGroup) {
    root_.write("/proc/self/cgroup", "4:cpu:/docker/0123\n");
    root_.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    EXPECT_EQ(files_.control_group_file("cpu", "cpu.cfs_quota_us"),
              "/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
}

}  // namespace
}  // namespace loopbench
