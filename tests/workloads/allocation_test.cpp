// The steady section of every workload allocates nothing: counted in the SUT by the preloaded
// library.

#include <gtest/gtest.h>

#include <string>

#include "tests/workloads/client.hpp"
#include "tests/workloads/sut_process.hpp"

namespace loopbench {
namespace {

const std::string counter = std::string(LOOPBENCH_TEST_BIN) + "/libloopbench-allocations.so";

TEST(Allocations, AreNotCountedWithoutTheLibrary) {
    SutProcess sut("epoll");
    sut.set_up("pingpong", nlohmann::json::object());
    EXPECT_TRUE(sut.counters()["allocations"].is_null());
}

class EchoAllocations : public testing::TestWithParam<std::string> {};

TEST_P(EchoAllocations, AreNone) {
    SutProcess sut("epoll", counter);
    const auto ready = sut.set_up("echo", {{"api", GetParam()}}, "127.0.0.1:0");
    const Client client(ready["address"]);
    const auto exchange = [&](int times) {
        for (int i = 0; i < times; ++i) {
            client.send(pattern_bytes(0, 64));
            EXPECT_EQ(client.receive(64).size(), 64);
        }
    };
    exchange(10);
    const auto before = sut.counters();
    exchange(1000);
    const auto after = sut.counters();
    ASSERT_TRUE(after["allocations"].is_number_unsigned()) << after;
    EXPECT_GT(before["allocations"], 0);  // the counter counts
    EXPECT_EQ(after["allocations"], before["allocations"]);
    EXPECT_EQ(after["operations"], 1010);
}

INSTANTIATE_TEST_SUITE_P(Forms, EchoAllocations, testing::Values("push", "pull", "task"),
                         [](const auto& test) { return test.param; });

class FaninAllocations : public testing::TestWithParam<std::string> {};

TEST_P(FaninAllocations, AreNone) {
    SutProcess sut("epoll", counter);
    const auto ready =
        sut.set_up("fanin", {{"api", GetParam()}, {"connections", 1}}, "127.0.0.1:0");
    const Client client(ready["address"]);
    client.send(std::string(4, '\0'));
    std::size_t sent = 0;
    const auto exchange = [&](int times) {
        for (int i = 0; i < times; ++i) {
            client.send(pattern_bytes(0, 64, sent));
            sent += 64;
            EXPECT_EQ(client.receive(1).size(), 1);
        }
    };
    exchange(10);
    const auto before = sut.counters();
    exchange(1000);
    const auto after = sut.counters();
    EXPECT_EQ(after["allocations"], before["allocations"]);
    EXPECT_EQ(after["operations"], 1010);
}

INSTANTIATE_TEST_SUITE_P(Forms, FaninAllocations, testing::Values("push", "pull", "task"),
                         [](const auto& test) { return test.param; });

struct InProcessCase {
    std::string name;
    std::string workload;
    nlohmann::json params;
};

class InProcessAllocations : public testing::TestWithParam<InProcessCase> {
  protected:
    /// Allocations of a slice of so many operations: what goes before and behind its steady section
    /// allocates as well, but always the same.
    static std::uint64_t of_slice(SutProcess& sut, std::uint64_t operations) {
        const std::uint64_t before = sut.counters()["allocations"];
        EXPECT_EQ(sut.ask({{"type", "slice"}, {"operations", operations}})["type"], "done");
        return sut.counters()["allocations"].get<std::uint64_t>() - before;
    }
};

TEST_P(InProcessAllocations, DoNotGrowWithTheOperations) {
    SutProcess sut("epoll", counter);
    ASSERT_EQ(sut.set_up(GetParam().workload, GetParam().params)["type"], "ready");
    of_slice(sut, 1000);
    EXPECT_EQ(of_slice(sut, 1000), of_slice(sut, 20'000));
}

INSTANTIATE_TEST_SUITE_P(
    Workloads, InProcessAllocations,
    testing::Values(InProcessCase{"timers", "timers", {{"pending", 1000}}},
                    InProcessCase{"callback", "pingpong", {{"variant", "callback"}}},
                    InProcessCase{"yield", "pingpong", {{"variant", "yield"}}},
                    InProcessCase{"event", "pingpong", {{"variant", "event"}}},
                    InProcessCase{"cancel", "pingpong", {{"variant", "cancel"}}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace loopbench
