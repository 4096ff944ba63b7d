#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "tests/workloads/client.hpp"
#include "tests/workloads/sut_process.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

class ControlProtocol : public OverSuts<std::string> {
  protected:
    ControlProtocol() : sut_(GetParam()) {}
    SutProcess sut_;
};

TEST_P(ControlProtocol, DescribesItself) {
    const json description = sut_.ask({{"type", "describe"}, {"keys", json::object()}});
    EXPECT_EQ(description["type"], "description");
    EXPECT_EQ(description["protocol"], 1);
    EXPECT_EQ(description["name"], GetParam());
    EXPECT_EQ(description["available"], true);
    const std::vector<std::string> offered = description["workloads"];
    for (const char* workload : {"echo", "fanin", "timers", "pingpong"}) {
        EXPECT_NE(std::find(offered.begin(), offered.end(), workload), offered.end()) << workload;
    }
    for (const char* member : {"compiler", "flags", "assertions", "sanitizers"}) {
        EXPECT_TRUE(description["build"].contains(member)) << member;
    }
    EXPECT_GE(description["fairness"]["timer_resolution_ns"], 1);
    EXPECT_FALSE(description["operations"].empty());
}

TEST_P(ControlProtocol, RefusesUnknownKeys) {
    const json answer = sut_.ask({{"type", "describe"}, {"keys", {{"colour", "red"}}}});
    EXPECT_EQ(answer["type"], "error");
    EXPECT_NE(answer["what"].get<std::string>().find("colour"), std::string::npos);
}

TEST_P(ControlProtocol, EndsOnQuit) {
    sut_.send_raw("{\"type\": \"quit\"}\n");
    EXPECT_EQ(sut_.wait(), 0);
    EXPECT_EQ(sut_.receive_line(), "");
}

TEST_P(ControlProtocol, EndsAtTheEndOfInputWithConnectionsOpen) {
    const json ready = sut_.set_up("echo", json::object(), "127.0.0.1:0");
    const Client client(ready["address"]);
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    sut_.end_input();
    EXPECT_EQ(client.receive(1), "");
    EXPECT_EQ(sut_.wait(), 0);
}

TEST_P(ControlProtocol, LeavesInterruptsToTheHarness) {
    sut_.set_up("pingpong", json::object());
    sut_.signal(SIGINT);
    EXPECT_TRUE(sut_.counters().contains("turns"));
}

TEST_P(ControlProtocol, TakesRequestsInPiecesAndSeveralAtOnce) {
    sut_.set_up("pingpong", json::object());
    for (const char piece : std::string("{\"type\": \"ma")) sut_.send_raw({piece});
    sut_.send_raw("rk\"}\n{\"type\": \"mark\"}\n{\"type\": \"sl");
    EXPECT_EQ(json::parse(sut_.receive_line())["type"], "marked");
    EXPECT_EQ(json::parse(sut_.receive_line())["type"], "marked");
    sut_.send_raw("ice\", \"operations\": 5}");
    sut_.end_input();  // ends the last line as well
    EXPECT_EQ(json::parse(sut_.receive_line())["operations"], 5);
    EXPECT_EQ(sut_.wait(), 0);
}

TEST_P(ControlProtocol, DoesNotCountItsOwnTurns) {
    sut_.set_up("pingpong", json::object());
    const json before = sut_.counters();
    if (before["turns"].is_null()) GTEST_SKIP() << "it counts none";
    // One turn of slack: Asio may poll once more before it has nothing left to do.
    EXPECT_LE(sut_.counters()["turns"], before["turns"].get<int>() + 1);
}

TEST_P(ControlProtocol, EndsWithStatus2ForWhatIsNoMessage) {
    for (const char* line : {"", "{", "[]", "7", "{\"typ\": \"quit\"}", "{\"type\": 1}", "\xff"}) {
        for (const bool after_setup : {false, true}) {
            SutProcess sut(GetParam());
            if (after_setup) sut.set_up("pingpong", json::object());
            sut.send_raw(std::string(line) + "\n");
            const std::string answer = sut.receive_line();
            ASSERT_FALSE(answer.empty()) << line;
            EXPECT_EQ(json::parse(answer)["type"], "error") << line;
            EXPECT_EQ(sut.wait(), 2) << line;
        }
    }
}

TEST_P(ControlProtocol, GoesOnAfterARequestThatDoesNotFit) {
    EXPECT_EQ(sut_.ask({{"type", "mark"}})["type"], "error");
    EXPECT_EQ(sut_.ask({{"type", "dance"}})["type"], "error");
    EXPECT_EQ(sut_.set_up("pingpong", json::object())["type"], "ready");
    EXPECT_EQ(sut_.ask({{"type", "describe"}})["type"], "error");
    for (const json& operations : {json(0), json(-1), json("many"), json(1.5), json()}) {
        EXPECT_EQ(sut_.ask({{"type", "slice"}, {"operations", operations}})["type"], "error");
    }
    EXPECT_EQ(sut_.ask({{"type", "slice"}, {"operations", 1}})["type"], "done");
}

TEST_P(ControlProtocol, NamesWhatIsWrongWithASetup) {
    struct Case {
        const char* workload;
        json params;
        const char* listen;
        const char* what;
        const char* remedy;
    };
    const std::vector<Case> cases{
        {"eco", json::object(), "127.0.0.1:0", "'eco'", "echo"},
        {"echo", {{"size", 0}}, "127.0.0.1:0", "size is 0", "from 1 to"},
        {"echo", {{"size", -5}}, "127.0.0.1:0", "size is -5", "from 1 to"},
        {"echo", {{"api", "pul"}}, "127.0.0.1:0", "api is \"pul\"", "pull"},
        {"echo", {{"connections", 2}, {"active", 3}}, "127.0.0.1:0", "active is 3", "from 1 to 2"},
        {"echo", {{"no_delay", 1}}, "127.0.0.1:0", "no_delay is 1", "true"},
        {"echo", json::object(), "nowhere", "nowhere", "form"},
        {"echo", json::object(), "192.0.2.1:80", "192.0.2.1:80", "this machine"},
        {"echo", json::object(), "unix:/nonexistent/dir/s", "/nonexistent", "directory"},
        {"timers", {{"mix", "1:2"}}, "", "mix is \"1:2\"", "1:1:1"},
        {"timers", {{"mix", "0:0:0"}}, "", "0:0:0", "not all 0"},
        {"timers", {{"pending", 11}}, "", "pending is 11", "at least 12"},
        {"pingpong", {{"tasks", 1}, {"variant", "event"}}, "", "tasks is 1", "at least 2"},
        {"pingpong", {{"variant", "pong"}}, "", "pong", "cancel-throw"},
        {"pingpong", {{"poll_interval", 0}}, "", "poll_interval is 0", "from 1"},
    };
    for (const Case& each : cases) {
        SutProcess sut(GetParam());
        const json answer = sut.set_up(each.workload, each.params, each.listen);
        EXPECT_EQ(answer["type"], "error") << each.what;
        EXPECT_NE(answer.value("what", "").find(each.what), std::string::npos) << answer;
        EXPECT_NE(answer.value("remedy", "").find(each.remedy), std::string::npos) << answer;
        sut.send_raw("{\"type\": \"quit\"}\n");
        EXPECT_EQ(sut.wait(), 0);
    }
}

TEST_P(ControlProtocol, SaysThatAnAddressIsInUse) {
    const json ready = sut_.set_up("echo", json::object(), "127.0.0.1:0");
    SutProcess second(GetParam());
    const json answer = second.set_up("echo", json::object(), ready["address"]);
    EXPECT_EQ(answer["type"], "error");
    EXPECT_NE(answer["what"].get<std::string>().find(ready["address"].get<std::string>()),
              std::string::npos);
}

TEST_P(ControlProtocol, NamesTheConnectionsThatWouldDo) {
    const json description = sut_.ask({{"type", "describe"}});
    const bool limited_by_loop = !description["capabilities"]["descriptor_limit"].is_null();
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (!limited_by_loop && limit.rlim_max >= 1'000'000) GTEST_SKIP() << "no limit to run into";
    const json answer = sut_.set_up("echo", {{"connections", 1'000'000}}, "127.0.0.1:0");
    if (!limited_by_loop && answer["type"] == "ready") GTEST_SKIP() << "the limit could be raised";
    EXPECT_EQ(answer["type"], "error");
    EXPECT_NE(answer.value("what", "").find("connections is 1000000"), std::string::npos);
    EXPECT_NE(answer.value("remedy", "").find("would do"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Loops, ControlProtocol, testing::ValuesIn(built_loops()), test_name);
// The references that offer what is set up here.
INSTANTIATE_TEST_SUITE_P(
    References, ControlProtocol,
    testing::ValuesIn(built_references({"bare", "native-asio", "asyncio", "uvloop"})), test_name);

class Kind : public OverSuts<std::string> {};

TEST_P(Kind, TellsReferencesFromLoops) {
    const std::vector<std::string> loops = built_loops();
    const bool is_loop = std::find(loops.begin(), loops.end(), GetParam()) != loops.end();
    SutProcess sut(GetParam());
    const json description = sut.ask({{"type", "describe"}});
    EXPECT_EQ(description["kind"], is_loop ? "loop" : "reference");
    EXPECT_EQ(description["name"], GetParam());
    EXPECT_EQ(description["available"], true);
    EXPECT_FALSE(description["workloads"].empty());
}

INSTANTIATE_TEST_SUITE_P(Loops, Kind, testing::ValuesIn(built_loops()), test_name);
INSTANTIATE_TEST_SUITE_P(References, Kind, testing::ValuesIn(built_references()), test_name);

}  // namespace
}  // namespace loopbench
