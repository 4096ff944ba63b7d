// What is particular to the references. Where they do what the loops do, they run in the loops'
// tests.

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/workloads/client.hpp"
#include "tests/workloads/sut_process.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

TEST(Reference, RefusesWhatItDoesNotOffer) {
    struct Case {
        const char* reference;
        const char* workload;
        json params;
        const char* what;
        const char* remedy;
    };
    const std::vector<Case> cases{
        {"bare", "echo", {{"api", "pull"}}, "api is \"pull\", and bare", "push would do"},
        {"bare", "fanin", {{"api", "task"}}, "api is \"task\"", "push would do"},
        {"bare", "pingpong", {{"variant", "cancel"}}, "\"cancel\", and bare", "yield or event"},
        {"bare-blocking", "echo", {{"connections", 2}}, "connections is 2", "1"},
        {"bare-blocking", "fanin", json::object(), "'fanin'", "echo would do"},
        {"native-uv", "echo", {{"api", "task"}}, "and native-uv", "push would do"},
        {"native-uv", "pingpong", json::object(), "'pingpong'", "timers"},
        {"native-asio", "echo", {{"api", "pull"}}, "and native-asio", "push would do"},
        {"native-asio", "pingpong", {{"variant", "event"}}, "\"event\"", "callback or yield"},
        {"threads", "pingpong", {{"variant", "cancel-throw"}}, "and threads", "event"},
        {"threads", "pingpong", {{"tasks", 1}}, "tasks is 1", "at least 2"},
        {"null", "timers", {{"mix", "1:2"}}, "mix is \"1:2\"", "1:1:1"},
        {"normaliser", "pingpong", {{"variant", "pong"}}, "pong", "yield"},
    };
    for (const Case& each : cases) {
        if (built_references({each.reference}).empty()) continue;
        SutProcess sut(each.reference);
        const json answer = sut.set_up(each.workload, each.params, "127.0.0.1:0");
        EXPECT_EQ(answer["type"], "error") << each.reference << each.params;
        EXPECT_NE(answer.value("what", "").find(each.what), std::string::npos) << answer;
        EXPECT_NE(answer.value("remedy", "").find(each.remedy), std::string::npos) << answer;
        sut.send_raw("{\"type\": \"quit\"}\n");
        EXPECT_EQ(sut.wait(), 0);
    }
}

class AnyReference : public OverSuts<std::string> {};

TEST_P(AnyReference, EndsWithTheInputAfterEverySetup) {
    SutProcess asked(GetParam());
    const json description = asked.ask({{"type", "describe"}});
    for (const std::string workload : description["workloads"]) {
        const bool sockets = workload == "echo" || workload == "fanin";
        SutProcess sut(GetParam());
        const json params = sockets ? json{{"connections", 1}} : json::object();
        const json ready = sut.set_up(workload, params, sockets ? "127.0.0.1:0" : "");
        ASSERT_EQ(ready["type"], "ready") << ready;
        EXPECT_EQ(ready["deviations"], json::array());
        EXPECT_EQ(sut.counters()["operations"], 0);
        sut.end_input();
        EXPECT_EQ(sut.wait(), 0);
    }
}

INSTANTIATE_TEST_SUITE_P(References, AnyReference, testing::ValuesIn(built_references()),
                         test_name);

class EchoReference : public OverSuts<std::string> {};

TEST_P(EchoReference, EndsWithStatus2WithConnectionsOpen) {
    SutProcess sut(GetParam());
    const json ready = sut.set_up("echo", {{"connections", 1}}, "127.0.0.1:0");
    const Client client(ready["address"]);
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    sut.send_raw("no message\n");
    EXPECT_EQ(sut.wait(), 2);
}

/// Every message is waited for, so that each is a turn and a delivery.
TEST_P(EchoReference, CountsTurnsAndDeliveries) {
    SutProcess sut(GetParam());
    const json ready = sut.set_up("echo", {{"connections", 1}, {"size", 100}}, "127.0.0.1:0");
    ASSERT_EQ(ready["type"], "ready") << ready;
    const Client client(ready["address"]);
    client.send(pattern_bytes(0, 100));
    EXPECT_EQ(client.receive(100).size(), 100);
    const json before = sut.counters();
    constexpr int rounds = 200;
    for (int i = 0; i < rounds; ++i) {
        client.send(pattern_bytes(0, 100));
        EXPECT_EQ(client.receive(100).size(), 100);
    }
    const json after = sut.counters();
    const auto growth = [&](const char* name) {
        return after[name].get<std::int64_t>() - before[name].get<std::int64_t>();
    };
    if (!after["turns"].is_null()) {
        // The question for the counters may come in the turn that serves a message.
        EXPECT_NEAR(growth("turns"), rounds, 1);
    }
    EXPECT_EQ(growth("operations"), rounds);
    EXPECT_EQ(growth("bytes"), 100 * rounds);
    EXPECT_EQ(growth("reads"), rounds);
    EXPECT_EQ(after["open_connections"], 1);
    EXPECT_EQ(after["steady_connections"], 1);
}

INSTANTIATE_TEST_SUITE_P(References, EchoReference,
                         testing::ValuesIn(built_references({"bare", "bare-blocking", "native-uv",
                                                             "native-asio", "asyncio", "uvloop"})),
                         test_name);

class Blocking : public testing::Test {
  protected:
    void start(const std::string& listen = "127.0.0.1:0") {
        const json ready = sut_.set_up("echo", {{"connections", 1}, {"size", 64}}, listen);
        ASSERT_EQ(ready.value("type", ""), "ready") << ready;
        address_ = ready["address"];
    }

    static void expect_echo(const Client& client, std::size_t size) {
        const std::string message = pattern_bytes(3, size);
        std::thread sender([&] { EXPECT_TRUE(client.send(message)); });
        EXPECT_TRUE(client.receive(size) == message) << size << " bytes";
        sender.join();
    }

    SutProcess sut_{"bare-blocking"};
    std::string address_;
};

TEST_F(Blocking, GivesBackMessagesOfAllSizes) {
    start();
    const Client client(address_);
    for (const std::size_t size : {1, 2, 250, 65535, 65536, 65537, 1 << 20, 8 << 20}) {
        expect_echo(client, size);
    }
}

TEST_F(Blocking, ListensOnUnixSockets) {
    std::string pattern = testing::TempDir() + "loopbench-XXXXXX";
    const std::string path = std::string(mkdtemp(pattern.data())) + "/socket";
    start("unix:" + path);
    expect_echo(Client(address_), 100'000);
    sut_.ask({{"type", "quit"}});
    EXPECT_FALSE(std::filesystem::exists(path));
    std::filesystem::remove_all(pattern);
}

/// Control comes through although the only thread is in a system call: in accept, in recv, in send.
TEST_F(Blocking, AnswersWhileItBlocks) {
    start();
    EXPECT_EQ(sut_.counters()["open_connections"], 0);
    const Client client(address_);
    expect_echo(client, 64);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(sut_.counters()["open_connections"], 1);
    }
    client.limit_sending(std::chrono::milliseconds(300));
    const std::string piece = pattern_bytes(0, 251 * 1024);
    while (client.send(piece)) {
    }
    EXPECT_GT(sut_.counters()["operations"], 1);
    sut_.ask({{"type", "quit"}});
    EXPECT_EQ(sut_.wait(), 0);
}

TEST_F(Blocking, ServesTheNextOneWhenOneHasGone) {
    start();
    for (int i = 0; i < 10; ++i) {
        Client client(address_);
        expect_echo(client, 1000);
        if (i % 2 == 0) client.reset();
    }
    EXPECT_EQ(sut_.counters()["bytes"], 10'000);
}

/// The processors that a process of this user may be put on.
int processors_to_be_had() {
    cpu_set_t before;
    cpu_set_t all;
    CPU_ZERO(&all);
    for (int i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &all);
    sched_getaffinity(0, sizeof before, &before);
    sched_setaffinity(0, sizeof all, &all);
    sched_getaffinity(0, sizeof all, &all);
    sched_setaffinity(0, sizeof before, &before);
    return CPU_COUNT(&all);
}

/// Ties this process, and the SUTs that it starts meanwhile, to one processor, as the harness does.
class OneProcessor {
  public:
    OneProcessor() {
        sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
            if (CPU_ISSET(i, &before_)) CPU_SET(i, &one);
        }
        sched_setaffinity(0, sizeof one, &one);
    }
    ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }
    OneProcessor(const OneProcessor&) = delete;
    OneProcessor& operator=(const OneProcessor&) = delete;

  private:
    cpu_set_t before_;
};

TEST(Threads, AreSpreadOverTheProcessorsThatAreAskedFor) {
    const OneProcessor as_the_harness_starts_it;
    for (const char* processors : {"1", "2"}) {
        SutProcess sut("threads");
        const json ready = sut.set_up("pingpong", {{"tasks", 3}}, "", {{"cpus", processors}});
        if (std::string(processors) == "2" && processors_to_be_had() < 2) {
            EXPECT_EQ(ready["type"], "error");
            EXPECT_NE(ready.value("what", "").find("cpus is 2"), std::string::npos) << ready;
            EXPECT_NE(ready.value("remedy", "").find("cpus=1"), std::string::npos) << ready;
            continue;
        }
        ASSERT_EQ(ready["type"], "ready") << ready;
        const json before = sut.counters();
        const json done = sut.ask({{"type", "slice"}, {"operations", 3000}});
        EXPECT_EQ(done["operations"], 3000) << done;
        const json after = sut.counters();
        EXPECT_EQ(after["task_switches"], 3000);
        // On one processor nobody has the token before the kernel has switched to him, be it
        // because the one before sleeps or because he was pre-empted.
        const auto switches = [](const json& counters) {
            return counters["voluntary_switches"].get<int>() +
                   counters["involuntary_switches"].get<int>();
        };
        if (std::string(processors) == "1") {
            EXPECT_GE(switches(after), switches(before) + 3000);
        }
    }
}

class AsioPosts : public testing::TestWithParam<const char*> {};

TEST_P(AsioPosts, InEitherWay) {
    if (built_references({"native-asio"}).empty()) GTEST_SKIP() << "without Boost";
    for (const char* way : {"plain", "awaitable"}) {
        for (const int tasks : {1, 2, 5}) {
            SutProcess sut("native-asio");
            const json ready = sut.set_up("pingpong", {{"tasks", tasks}, {"variant", GetParam()}},
                                          "", {{"post", way}});
            ASSERT_EQ(ready["type"], "ready") << ready;
            for (const int operations : {1, 4, 1000}) {
                const json done = sut.ask({{"type", "slice"}, {"operations", operations}});
                EXPECT_EQ(done["operations"], operations) << done;
            }
            EXPECT_EQ(sut.counters()["operations"], 1005);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Variants, AsioPosts, testing::Values("callback", "yield"),
                         [](const auto& test) { return std::string(test.param); });

TEST(InProcessYardsticks, DoExactlyWhatTheyAreAsked) {
    for (const char* reference : {"null", "normaliser"}) {
        for (const char* workload : {"timers", "pingpong"}) {
            SutProcess sut(reference);
            ASSERT_EQ(sut.set_up(workload, json::object())["type"], "ready");
            std::uint64_t all = 0;
            for (const std::uint64_t operations : {1U, 4U, 100'000U}) {
                const json done = sut.ask({{"type", "slice"}, {"operations", operations}});
                EXPECT_EQ(done["operations"], operations) << done;
                all += operations;
            }
            EXPECT_EQ(sut.counters()["operations"], all);
        }
    }
}

}  // namespace
}  // namespace loopbench
