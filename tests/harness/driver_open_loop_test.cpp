// The driver in an open loop: what leaves does not depend on what comes back.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/driver/schedule.hpp"
#include "results/histogram.hpp"
#include "tests/harness/driver_process.hpp"
#include "tests/harness/test_server.hpp"

namespace loopbench::test {
namespace {

using nlohmann::json;

constexpr std::uint64_t seed = 42;

bool send_back(TestServer&, Peer& peer, Bytes bytes) {
    return peer.send(bytes);
}

class DriverOpenLoop : public testing::Test {
  protected:
    void connect(const TestServer& server, const json& params) {
        const json connected = driver_.ask({{"type", "connect"},
                                            {"workload", "echo"},
                                            {"address", server.address()},
                                            {"seed", seed},
                                            {"params", params}});
        ASSERT_EQ(connected.at("type"), "connected") << connected;
    }
    json slice(json order) {
        order["type"] = "slice";
        order["placement"] = "split";
        return driver_.ask(order);
    }
    static Histogram histogram(const json& done, const char* name) {
        return Histogram::from_json(done.at("histograms").at(name));
    }

    const std::string address_ =
        "unix:" + testing::TempDir() + "open-" + std::to_string(getpid()) + ".socket";
    DriverProcess driver_;
};

TEST_F(DriverOpenLoop, KeepsExactlyTheCountOfTheSchedule) {
    TestServer server(address_, send_back);
    connect(server, {{"connections", 4}, {"size", 100}, {"rate", 50'000}});
    const auto expect = [](const json& done, std::uint64_t messages) {
        ASSERT_EQ(done.at("type"), "done") << done;
        EXPECT_EQ(done.at("operations"), messages);
        EXPECT_EQ(done.at("rounds"), messages / 4);
        EXPECT_EQ(done.at("bytes"), 100 * messages);
        EXPECT_EQ(done.at("idle_connections"), 0);
        EXPECT_EQ(histogram(done, "latency").count(), messages);
        EXPECT_EQ(histogram(done, "send_lag").count(), messages);
        EXPECT_EQ(done.at("metrics").at("offered_rate"), 50'000);
        EXPECT_GE(done.at("elapsed_ns"), messages * 20'000);
    };
    expect(slice({{"rounds", 30}}), 120);
    expect(slice({{"min_ns", 10'000'000}}), 500);
    expect(slice({{"min_ns", 10'000'000}, {"min_operations_per_connection", 200}}), 800);
    server.stop();
    for (const auto& peer : server.peers()) EXPECT_EQ(peer->received, (120 + 500 + 800) / 4 * 100U);
}

/// Answers nothing until it has received this many bytes from all connections together.
struct AnsweringLast {
    std::uint64_t bytes;

    bool operator()(TestServer& server, Peer& peer, Bytes received) const {
        peer.kept.insert(peer.kept.end(), received.begin(), received.end());
        if (server.received() < bytes) return true;
        for (const auto& each : server.peers()) {
            if (!each->send(each->kept)) return false;
        }
        return true;
    }
};

// With a closed loop this would never end. And what the server held up shows in the latencies: a
// message waited at least from its time in the schedule to the last message's.
TEST_F(DriverOpenLoop, SendsTheWholeScheduleBeforeAnythingIsAnswered) {
    constexpr std::uint64_t messages = 2000;
    constexpr std::uint64_t rate = 100'000;
    TestServer server(address_, AnsweringLast{messages * 64});
    connect(server, {{"connections", 5}, {"size", 64}, {"rate", rate}});
    const json done = slice({{"rounds", messages / 5}});
    ASSERT_EQ(done.at("type"), "done") << done;
    const Histogram latency = histogram(done, "latency");
    ASSERT_EQ(latency.count(), messages);

    driver::Schedule schedule(~seed);
    schedule.draw(messages, rate);
    const auto waited = [&](std::size_t message) {
        return static_cast<std::uint64_t>(
            (schedule.times().back() - schedule.times()[message]).count());
    };
    EXPECT_GE(latency.max(), waited(0));
    EXPECT_GE(latency.value_at_quantile(0.75), waited(messages / 4));
    EXPECT_GE(latency.value_at_quantile(0.5), waited(messages / 2));
    EXPECT_GE(latency.value_at_quantile(0.25), waited(messages * 3 / 4));
}

// All messages are due at the very beginning, so that most leave late. The answers come after the
// last has left, by which time every message has waited as long as that one: its lag.
TEST_F(DriverOpenLoop, CountsItsOwnDelayInTheLatency) {
    constexpr std::uint64_t messages = 2000;
    constexpr std::uint64_t rate = 1'000'000'000;
    TestServer server(address_, AnsweringLast{messages * 64});
    connect(server, {{"connections", 5}, {"size", 64}, {"rate", rate}});
    const json done = slice({{"rounds", messages / 5}});
    ASSERT_EQ(done.at("type"), "done") << done;
    constexpr std::uint64_t length_ns = messages;
    EXPECT_GE(histogram(done, "latency").min() + length_ns, histogram(done, "send_lag").max());
}

TEST_F(DriverOpenLoop, QueuesWhatASocketDoesNotTake) {
    TestServer server(address_, send_back);
    constexpr std::uint64_t size = 1 << 20;
    connect(server, {{"connections", 2}, {"size", size}, {"rate", 1'000'000}});
    const json done = slice({{"rounds", 8}});
    ASSERT_EQ(done.at("type"), "done") << done;
    EXPECT_EQ(done.at("bytes"), 16 * size);
    EXPECT_EQ(histogram(done, "latency").count(), 16);
    EXPECT_EQ(slice({{"rounds", 2}}).at("operations"), 4) << "nothing was left under way";
}

TEST_F(DriverOpenLoop, GivesUpOnASilentServer) {
    TestServer server(address_, [](TestServer&, Peer&, Bytes) { return true; });
    connect(server, {{"connections", 4}, {"size", 64}, {"rate", 10'000}});
    const json error = slice({{"rounds", 10}, {"stall_ns", 50'000'000}});
    ASSERT_EQ(error.at("type"), "error") << error;
    EXPECT_NE(error.at("what").get<std::string>().find("no answer for 0.05 s on 4 of 4"),
              std::string::npos)
        << error;
}

TEST_F(DriverOpenLoop, AServerThatIsAskedNothingIsNotStuck) {
    TestServer server(address_, send_back);
    connect(server, {{"connections", 1}, {"size", 64}, {"rate", 1}});
    const json done = slice({{"rounds", 1}, {"stall_ns", 200'000'000}});
    EXPECT_EQ(done.at("type"), "done") << done;
}

TEST_F(DriverOpenLoop, NoticesBetweenTwoMessagesThatTheHarnessIsGone) {
    TestServer server(address_, send_back);
    connect(server, {{"connections", 1}, {"size", 64}, {"rate", 1}});
    driver_.say(R"({"type": "slice", "placement": "split", "rounds": 1000000})");
    driver_.close_requests();
    EXPECT_EQ(driver_.exit_status(), 0);
}

TEST_F(DriverOpenLoop, RefusesWhatCannotBeScheduled) {
    TestServer server(address_, send_back);
    connect(server, {{"connections", 1}, {"size", 64}, {"rate", 1000}});
    const json endless = slice({{"rounds", 2'000'000'000}});
    EXPECT_EQ(endless.at("what"),
              "slice: 2000000000 messages to schedule, and 16000000 are the most");
    const json lockstep =
        driver_.ask({{"type", "slice"}, {"placement", "lockstep"}, {"rounds", 1}});
    EXPECT_EQ(lockstep.at("what"), "slice: an open loop (rate) in lockstep placement");
    EXPECT_EQ(slice({{"rounds", 3}}).at("operations"), 3) << "a refused request harms nothing";
}

}  // namespace
}  // namespace loopbench::test
