#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/workloads/sut_process.hpp"

namespace loopbench {
namespace {

class PingPong : public OverSuts<std::tuple<std::string, std::string>> {};

TEST_P(PingPong, SwitchesExactlyAsOftenAsAsked) {
    const auto& [loop, variant] = GetParam();
    for (const int tasks : {2, 5}) {
        SutProcess sut(loop);
        ASSERT_EQ(sut.set_up("pingpong", {{"tasks", tasks}, {"variant", variant}})["type"],
                  "ready");
        std::uint64_t all = 0;
        for (const std::uint64_t operations : {1, 4, 5, 1000, 7}) {
            const nlohmann::json done = sut.ask({{"type", "slice"}, {"operations", operations}});
            ASSERT_EQ(done["type"], "done") << done;
            EXPECT_EQ(done["operations"], operations);
            EXPECT_GT(done["metrics"]["cpu_ns_per_switch"], 0);
            all += operations;
            EXPECT_EQ(sut.counters()["operations"], all);
        }
        EXPECT_EQ(sut.counters()["task_switches"], all);
    }
}

INSTANTIATE_TEST_SUITE_P(Loops, PingPong,
                         testing::Combine(testing::ValuesIn(built_loops()),
                                          testing::Values("callback", "yield", "event", "cancel",
                                                          "cancel-throw", "spawn")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Python, PingPong,
                         testing::Combine(testing::ValuesIn(built_references({"asyncio",
                                                                              "uvloop"})),
                                          testing::Values("callback", "yield", "event", "cancel",
                                                          "cancel-throw", "spawn")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Kernel, PingPong,
                         testing::Combine(testing::ValuesIn(built_references({"bare", "threads"})),
                                          testing::Values("callback", "yield", "event")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Posting, PingPong,
                         testing::Combine(testing::ValuesIn(built_references({"native-asio"})),
                                          testing::Values("callback", "yield")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Work, PingPong,
                         testing::Combine(testing::ValuesIn(built_references({"normaliser"})),
                                          testing::Values("callback")),
                         test_name);

class Timers : public OverSuts<std::tuple<std::string, std::string>> {};

TEST_P(Timers, HandlesWholeRoundsInTheStatedProportions) {
    const auto& [loop, mix] = GetParam();
    SutProcess sut(loop);
    ASSERT_EQ(sut.set_up("timers", {{"pending", 2000}, {"mix", mix}})["type"], "ready");
    const nlohmann::json one = sut.ask({{"type", "slice"}, {"operations", 1}});
    ASSERT_EQ(one["type"], "done") << one;
    const std::uint64_t round = one["operations"];
    EXPECT_GT(round, 400);
    const nlohmann::json more = sut.ask({{"type", "slice"}, {"operations", 2 * round + 1}});
    EXPECT_EQ(more["operations"], 3 * round);
    EXPECT_EQ(sut.counters()["operations"], 4 * round);
    EXPECT_GT(more["metrics"]["cpu_ns_per_start"], 0);
    EXPECT_EQ(more["metrics"].contains("cpu_ns_per_cancel"), mix.find(":0:") == std::string::npos);
    const bool expires = !mix.ends_with(":0");
    EXPECT_EQ(more["metrics"].contains("cpu_ns_per_expire"), expires);
    EXPECT_EQ(more["histograms"].contains("lateness"), expires);
}

INSTANTIATE_TEST_SUITE_P(Loops, Timers,
                         testing::Combine(testing::ValuesIn(built_loops()),
                                          testing::Values("1:1:1", "3:2:1", "1:0:0", "0:1:0",
                                                          "0:0:1")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(
    References, Timers,
    testing::Combine(testing::ValuesIn(built_references({"bare", "native-uv", "native-asio",
                                                         "asyncio", "uvloop"})),
                     testing::Values("1:1:1", "3:2:1", "1:0:0", "0:1:0", "0:0:1")),
    test_name);

}  // namespace
}  // namespace loopbench
