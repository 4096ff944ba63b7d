// The workloads that show how tasks are scheduled, cancelled and timed out.

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/workloads/sut_process.hpp"

namespace loopbench {
namespace {

class Cancel : public OverSuts<std::tuple<std::string, std::string>> {};

TEST_P(Cancel, EachTaskEndsCancelledAndTheTurnsAreCounted) {
    const auto& [loop, wait] = GetParam();
    SutProcess sut(loop);
    ASSERT_EQ(sut.set_up("cancel", {{"wait", wait}, {"poll_interval", 1}})["type"], "ready");
    for (const std::uint64_t operations : {1, 20}) {
        const nlohmann::json done = sut.ask({{"type", "slice"}, {"operations", operations}});
        ASSERT_EQ(done["type"], "done") << done;
        EXPECT_EQ(done["operations"], operations);
        // Only a buffer that the kernel has may take longer to come back.
        if (wait == "read") {
            EXPECT_GE(done["metrics"]["turns_to_cancel"], 1);
        } else {
            EXPECT_EQ(done["metrics"]["turns_to_cancel"], 1);
            EXPECT_EQ(done["metrics"]["next_turn_share"], 1);
        }
    }
    EXPECT_EQ(sut.counters()["operations"], 21);
}

INSTANTIATE_TEST_SUITE_P(Loops, Cancel,
                         testing::Combine(testing::ValuesIn(built_loops()),
                                          testing::Values("event", "sleep", "read")),
                         test_name);

class Timeout : public OverSuts<std::tuple<std::string, std::string>> {};

TEST_P(Timeout, RunsWholeRoundsOfWaits) {
    const auto& [loop, outcome] = GetParam();
    SutProcess sut(loop);
    ASSERT_EQ(sut.set_up("timeout", {{"outcome", outcome}, {"tasks", 10}})["type"], "ready");
    const nlohmann::json done = sut.ask({{"type", "slice"}, {"operations", 15}});
    ASSERT_EQ(done["type"], "done") << done;
    EXPECT_EQ(done["operations"], 20);
    EXPECT_EQ(sut.counters()["operations"], 20);
    if (outcome == "expires") {
        EXPECT_EQ(done["metrics"]["cancelled_first_share"], 1);
    } else {
        EXPECT_FALSE(done["metrics"].contains("cancelled_first_share"));
    }
}

INSTANTIATE_TEST_SUITE_P(Loops, Timeout,
                         testing::Combine(testing::ValuesIn(built_loops()),
                                          testing::Values("expires", "met")),
                         test_name);

class Cooperative : public OverSuts<std::string> {};

TEST_P(Cooperative, NothingIsServedBeforeATaskGivesWay) {
    SutProcess sut(GetParam());
    ASSERT_EQ(sut.set_up("cooperative", {{"spin_us", 2000}})["type"], "ready");
    const nlohmann::json done = sut.ask({{"type", "slice"}, {"operations", 3}});
    ASSERT_EQ(done["type"], "done") << done;
    EXPECT_EQ(done["operations"], 3);
    EXPECT_GE(done["metrics"]["timer_delay_per_spin"], 1);
    EXPECT_GE(done["metrics"]["echo_delay_per_spin"], 1);
}

TEST_P(Cooperative, ATaskThatGivesWayStillEndsEachRound) {
    SutProcess sut(GetParam());
    ASSERT_EQ(
        sut.set_up("cooperative",
                   {{"spin_us", 2000}, {"await_every_us", 100}, {"poll_interval", 1}})["type"],
        "ready");
    const nlohmann::json done = sut.ask({{"type", "slice"}, {"operations", 3}});
    ASSERT_EQ(done["type"], "done") << done;
    EXPECT_EQ(sut.counters()["operations"], 3);
    EXPECT_GT(done["metrics"]["timer_delay_per_spin"], 0.1) << "no earlier than it was due";
}

INSTANTIATE_TEST_SUITE_P(Loops, Cooperative, testing::ValuesIn(built_loops()), test_name);

TEST(BehaviourTest, ParametersThatMeanNothingAreRefused) {
    const std::vector<std::tuple<std::string, nlohmann::json, std::string>> cases{
        {"cancel", {{"wait", "bus"}}, "event or sleep or read"},
        {"timeout", {{"outcome", "late"}}, "expires or met"},
        {"timeout", {{"tasks", 0}}, "a whole number from 1"},
        {"cooperative", {{"spin_us", 0}}, "a whole number from 10"},
    };
    for (const auto& [workload, params, remedy] : cases) {
        SutProcess sut(built_loops().front());
        const nlohmann::json answer = sut.set_up(workload, params);
        ASSERT_EQ(answer["type"], "error") << answer;
        EXPECT_NE(answer["remedy"].get<std::string>().find(remedy), std::string::npos) << answer;
    }
}

}  // namespace
}  // namespace loopbench
