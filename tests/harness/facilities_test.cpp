#include "harness/facilities.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/harness/fake_root.hpp"

namespace loopbench {
namespace {

class FacilitiesTest : public testing::Test {
  protected:
    FakeRoot root_;
    SystemFiles files_ = root_.files();
};

TEST_F(FacilitiesTest, TenThousandConnectionsNeedDescriptors) {
    const rlimit few{1024, 4096};
    const rlimit many{1024, 1'048'576};
    root_.write("/proc/sys/fs/nr_open", "1048576\n");
    EXPECT_EQ(check_descriptor_limit(files_, few, false).grade, Grade::note);
    EXPECT_FALSE(check_descriptor_limit(files_, few, true).grade) << "root raises it";
    EXPECT_FALSE(check_descriptor_limit(files_, many, false).grade);
    EXPECT_FALSE(check_descriptor_limit(files_, {1024, RLIM_INFINITY}, false).grade);
    EXPECT_NE(check_descriptor_limit(files_, few, false).remedy.find("ulimit -n 10032"),
              std::string::npos);
}

TEST_F(FacilitiesTest, TheListenQueueIsCutByTheKernel) {
    EXPECT_FALSE(check_listen_queue(files_).grade);
    root_.write("/proc/sys/net/core/somaxconn", "128\n");
    EXPECT_EQ(check_listen_queue(files_).grade, Grade::note);
    EXPECT_EQ(check_listen_queue(files_).remedy, "sysctl -w net.core.somaxconn=4096");
    root_.write("/proc/sys/net/core/somaxconn", "4096\n");
    EXPECT_FALSE(check_listen_queue(files_).grade);
}

TEST_F(FacilitiesTest, WhyIoUringDoesNotWork) {
    EXPECT_FALSE(check_io_uring(files_, 0).grade);
    EXPECT_NE(check_io_uring(files_, EPERM).remedy.find("seccomp"), std::string::npos);
    EXPECT_NE(check_io_uring(files_, ENOSYS).remedy.find("Linux 6.0"), std::string::npos);
    EXPECT_NE(check_io_uring(files_, ENOMEM).remedy.find("ulimit -l"), std::string::npos);
    root_.write("/proc/sys/kernel/io_uring_disabled", "2\n");
    EXPECT_EQ(check_io_uring(files_, EPERM).remedy, "sysctl -w kernel.io_uring_disabled=0");
    EXPECT_EQ(check_io_uring(files_, EPERM).grade, Grade::note);
}

TEST_F(FacilitiesTest, LockedMemory) {
    EXPECT_EQ(check_locked_memory({65536, 65536}, false).grade, Grade::note);
    EXPECT_FALSE(check_locked_memory({65536, 65536}, true).grade);
    EXPECT_FALSE(check_locked_memory({RLIM_INFINITY, RLIM_INFINITY}, false).grade);
}

TEST_F(FacilitiesTest, PermissionToCount) {
    EXPECT_FALSE(check_perf_paranoid(files_, false).grade) << "not told";
    root_.write("/proc/sys/kernel/perf_event_paranoid", "1\n");
    EXPECT_EQ(check_perf_paranoid(files_, false).grade, Grade::note);
    EXPECT_FALSE(check_perf_paranoid(files_, true).grade);
    root_.write("/proc/sys/kernel/perf_event_paranoid", "-1\n");
    EXPECT_FALSE(check_perf_paranoid(files_, false).grade);
}

TEST(FacilitiesMachineTest, CountersEitherWorkOrSayWhyNot) {
    for (const Finding& finding : {check_syscall_counting(), check_hardware_counters()}) {
        EXPECT_EQ(finding.value == true, !finding.grade) << finding.id;
        EXPECT_EQ(finding.grade.has_value(), !finding.text.empty()) << finding.id;
    }
    const Finding counting = check_syscall_counting();
    if (counting.grade) {
        EXPECT_EQ(counting.metric, "syscalls_per_op");
    }
}

}  // namespace
}  // namespace loopbench
