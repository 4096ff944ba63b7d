#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/harness/driver_process.hpp"
#include "tests/harness/test_server.hpp"

namespace loopbench::test {
namespace {

using nlohmann::json;

std::string unix_address() {
    return "unix:" + testing::TempDir() + "driver-" + std::to_string(getpid()) + ".socket";
}
const std::string tcp_address = "127.0.0.1:0";

bool echo(TestServer&, Peer& peer, Bytes bytes) {
    return peer.send(bytes);
}

bool swallow(TestServer&, Peer&, Bytes) {
    return true;
}

json connect_request(const TestServer& server, json params, const std::string& workload = "echo",
                     std::uint64_t seed = 1) {
    return {{"type", "connect"},
            {"workload", workload},
            {"address", server.address()},
            {"seed", seed},
            {"params", std::move(params)}};
}

json rounds_request(const std::string& placement, std::uint64_t rounds) {
    return {{"type", "slice"}, {"placement", placement}, {"rounds", rounds}};
}

std::uint64_t histogram_count(const json& done) {
    std::uint64_t sum = 0;
    for (const auto& bucket : done.at("histograms").at("latency").at("counts")) {
        sum += bucket.at(1).get<std::uint64_t>();
    }
    return sum;
}

/// What docs/protocol.md says, computed the plain way.
std::byte pattern_byte(std::uint64_t connection, std::uint64_t offset) {
    return static_cast<std::byte>(((connection % 251 + offset) % 251 * 167 + 13) % 251);
}

/// A fan-in server: checks the hellos and every byte, acknowledges by the protocol.
struct FaninServer {
    static constexpr std::uint64_t hello_bytes = 4;

    std::uint64_t bytes_a_round;
    std::uint64_t unacknowledged = 0;
    std::uint64_t wrong_bytes = 0;
    Peer* acknowledging = nullptr;

    bool operator()(TestServer&, Peer& peer, Bytes bytes) {
        // `received` counts the whole delivery already.
        std::uint64_t position = peer.received - bytes.size();
        for (const std::byte byte : bytes) {
            const std::uint64_t at = position++;
            if (at < hello_bytes) {
                peer.kept.push_back(byte);
                if (position == hello_bytes && number_of(peer) == 0) acknowledging = &peer;
                continue;
            }
            if (byte != pattern_byte(number_of(peer), at - hello_bytes)) ++wrong_bytes;
            if (++unacknowledged == bytes_a_round) {
                unacknowledged = 0;
                const std::byte acknowledgement{0x06};
                if (!acknowledging->send({&acknowledgement, 1})) return false;
            }
        }
        return true;
    }
    static std::uint32_t number_of(const Peer& peer) {
        std::uint32_t number = 0;
        for (int i = 3; i >= 0; --i) {
            number = number << 8 | std::to_integer<std::uint32_t>(peer.kept[i]);
        }
        return number;
    }
};

TEST(Driver, DescribesItself) {
    DriverProcess driver;
    const json answer = driver.ask({{"type", "describe"}, {"keys", json::object()}});
    EXPECT_EQ(answer.at("type"), "description");
    EXPECT_EQ(answer.at("protocol"), 1);
    EXPECT_EQ(answer.at("name"), "loopbench-driver");
    EXPECT_TRUE(answer.at("version").is_string());
    EXPECT_EQ(answer.at("workloads"), json({"echo", "fanin"}));
}

TEST(Driver, EndsWithQuitAndWithTheEndOfInput) {
    DriverProcess told;
    told.say(R"({"type": "quit"})");
    EXPECT_EQ(told.exit_status(), 0);
    DriverProcess left;
    left.close_requests();
    EXPECT_EQ(left.exit_status(), 0);
}

// Transport, placement.
class DriverEcho : public testing::TestWithParam<std::tuple<bool, std::string>> {
  protected:
    std::string listen_on() const { return std::get<0>(GetParam()) ? tcp_address : unix_address(); }
    const std::string& placement() const { return std::get<1>(GetParam()); }
};

TEST_P(DriverEcho, DoesExactlyTheRoundsAskedFor) {
    TestServer server(listen_on(), echo);
    DriverProcess driver;
    const json connected =
        driver.ask(connect_request(server, {{"connections", 3}, {"size", 100}, {"pipeline", 3}}));
    ASSERT_EQ(connected.at("type"), "connected") << connected;
    EXPECT_EQ(connected.at("connections"), 3);
    for (const std::uint64_t rounds : {1, 7, 500}) {
        const json done = driver.ask(rounds_request(placement(), rounds));
        ASSERT_EQ(done.at("type"), "done") << done;
        EXPECT_EQ(done.at("rounds"), rounds);
        EXPECT_EQ(done.at("operations"), 3 * rounds);
        EXPECT_EQ(done.at("bytes"), 300 * rounds);
        EXPECT_EQ(done.at("idle_connections"), 0);
        EXPECT_EQ(histogram_count(done), 3 * rounds);
        EXPECT_GT(done.at("elapsed_ns"), 0);
        EXPECT_GT(done.at("cpu_ns"), 0);
    }
    server.stop();
    for (const auto& peer : server.peers()) EXPECT_EQ(peer->received, 508 * 100U);
}

TEST_P(DriverEcho, ReachesBothMinima) {
    TestServer server(listen_on(), echo);
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 4}, {"size", 64}, {"pipeline", 2}}));
    const auto slice = [&](std::uint64_t min_ns, std::uint64_t min_operations) {
        return driver.ask({{"type", "slice"},
                           {"placement", placement()},
                           {"min_ns", min_ns},
                           {"min_operations_per_connection", min_operations}});
    };
    const json by_count = slice(0, 20);
    EXPECT_GE(by_count.at("rounds"), 20);
    EXPECT_EQ(histogram_count(by_count), by_count.at("operations"));
    if (placement() == "lockstep") {
        EXPECT_EQ(by_count.at("rounds"), 20);
    }
    const json by_time = slice(20'000'000, 1);
    EXPECT_GE(by_time.at("elapsed_ns"), 20'000'000);
    EXPECT_EQ(histogram_count(by_time), by_time.at("operations"));
}

TEST_P(DriverEcho, MovesMessagesLargerThanAnyBuffer) {
    TestServer server(listen_on(), echo);
    DriverProcess driver;
    constexpr std::uint64_t size = 8 << 20;
    driver.ask(connect_request(server, {{"connections", 2}, {"size", size}, {"pipeline", 2}}));
    const json done = driver.ask(rounds_request(placement(), 3));
    ASSERT_EQ(done.at("type"), "done") << done;
    EXPECT_EQ(done.at("bytes"), 6 * size);
    EXPECT_EQ(histogram_count(done), 6);
}

TEST_P(DriverEcho, ServesAThousandConnections) {
    TestServer server(listen_on(), echo);
    DriverProcess driver(/*descriptor_limit=*/64);
    const json connected = driver.ask(
        connect_request(server, {{"connections", 1000}, {"size", 64}, {"backlog", 4096}}));
    ASSERT_EQ(connected.at("type"), "connected") << connected;
    const json done = driver.ask(rounds_request(placement(), 4));
    ASSERT_EQ(done.at("type"), "done") << done;
    EXPECT_EQ(done.at("operations"), 4000);
    EXPECT_EQ(done.at("idle_connections"), 0);
}

TEST_P(DriverEcho, SaysWhereAnAnswerIsWrong) {
    constexpr std::uint64_t wrong_at = 1000;
    TestServer server(listen_on(), [](TestServer&, Peer& peer, Bytes bytes) {
        std::vector<std::byte> answer(bytes.begin(), bytes.end());
        const std::uint64_t first = peer.received - bytes.size();
        if (peer.number == 2 && first <= wrong_at && wrong_at < peer.received) {
            answer[wrong_at - first] ^= std::byte{0xff};
        }
        return peer.send(answer);
    });
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 3}, {"size", 64}}));
    const json error = driver.ask(rounds_request(placement(), 100));
    ASSERT_EQ(error.at("type"), "error") << error;
    const unsigned right = std::to_integer<unsigned>(pattern_byte(2, wrong_at));
    char wanted[100];
    std::snprintf(wanted, sizeof wanted,
                  "connection 2: byte 1000 of the echo is 0x%02x and should be 0x%02x",
                  right ^ 0xff, right);
    EXPECT_EQ(error.at("what"), wanted);
    EXPECT_FALSE(error.at("remedy").get<std::string>().empty());
    EXPECT_EQ(driver.ask(rounds_request(placement(), 1)).at("type"), "error");
}

TEST_P(DriverEcho, NoticesMoreBytesThanItSent) {
    TestServer server(listen_on(), [](TestServer&, Peer& peer, Bytes bytes) {
        std::vector<std::byte> answer(bytes.begin(), bytes.end());
        answer.push_back(pattern_byte(peer.number, peer.received));
        return peer.send(answer);
    });
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 1}, {"size", 64}}));
    const json error = driver.ask(rounds_request(placement(), 1));
    ASSERT_EQ(error.at("type"), "error") << error;
    EXPECT_EQ(error.at("what"), "connection 0: the server sent 65 bytes back and had been sent 64");
}

TEST_P(DriverEcho, SaysWhichConnectionTheServerClosed) {
    TestServer server(listen_on(), [](TestServer&, Peer& peer, Bytes bytes) {
        return peer.send(bytes) && (peer.number != 1 || peer.received < 640);
    });
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 3}, {"size", 64}}));
    const json error = driver.ask(rounds_request(placement(), 100));
    ASSERT_EQ(error.at("type"), "error") << error;
    const std::string what = error.at("what");
    EXPECT_NE(what.find("connection 1 "), std::string::npos) << what;
    EXPECT_NE(what.find("640 received"), std::string::npos) << what;
}

TEST_P(DriverEcho, GivesUpOnASilentServer) {
    TestServer server(listen_on(), [](TestServer&, Peer& peer, Bytes bytes) {
        return peer.number == 1 || peer.send(bytes);
    });
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 3}, {"size", 64}}));
    json request = rounds_request(placement(), 10);
    // Long enough for the other two to be answered on a busy machine.
    request["stall_ns"] = 500'000'000;
    const json error = driver.ask(request);
    ASSERT_EQ(error.at("type"), "error") << error;
    EXPECT_EQ(error.at("what"), "no answer for 0.5 s on 1 of 3 active connections");
}

TEST_P(DriverEcho, NoticesInASliceThatTheHarnessIsGone) {
    TestServer server(listen_on(), swallow);
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 2}, {"size", 64}}));
    json request = rounds_request(placement(), 1);
    request["stall_ns"] = 600'000'000'000;
    driver.say(request.dump());
    driver.close_requests();
    EXPECT_EQ(driver.exit_status(), 0);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, DriverEcho,
                         testing::Combine(testing::Bool(), testing::Values("lockstep", "split")),
                         [](const auto& instance) {
                             return std::string(std::get<0>(instance.param) ? "tcp_" : "unix_") +
                                    std::get<1>(instance.param);
                         });

TEST(DriverLockstep, SendsOnEveryConnectionBeforeItWaits) {
    // Nothing is answered before a whole round has arrived.
    TestServer server(unix_address(), [](TestServer& self, Peer& peer, Bytes bytes) {
        peer.kept.insert(peer.kept.end(), bytes.begin(), bytes.end());
        std::size_t complete = 0;
        for (const auto& each : self.peers()) complete += each->kept.size() == 64;
        if (complete < 5) return true;
        for (const auto& each : self.peers()) {
            if (!each->send(each->kept)) return false;
            each->kept.clear();
        }
        return true;
    });
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 5}, {"size", 64}}));
    EXPECT_EQ(driver.ask(rounds_request("lockstep", 50)).at("operations"), 250);
}

TEST(DriverSplit, KeepsAsManyMessagesUnderWayAsThePipelineHolds) {
    std::uint64_t most = 0;
    TestServer server(unix_address(), [&most](TestServer&, Peer& peer, Bytes bytes) {
        peer.kept.insert(peer.kept.end(), bytes.begin(), bytes.end());
        most = std::max<std::uint64_t>(most, peer.kept.size());
        if (peer.kept.size() < 5 * 64) return true;
        const bool sent = peer.send(peer.kept);
        peer.kept.clear();
        return sent;
    });
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 2}, {"size", 64}, {"pipeline", 5}}));
    EXPECT_EQ(driver.ask(rounds_request("split", 50)).at("operations"), 100);
    server.stop();
    EXPECT_EQ(most, 5 * 64);
}

TEST(Driver, ChoosesTheActiveConnectionsByTheSeed) {
    const auto senders = [](std::uint64_t seed) {
        TestServer server(unix_address(), echo);
        DriverProcess driver;
        const json params{{"connections", 40}, {"active", 10}, {"size", 64}};
        driver.ask(connect_request(server, params, "echo", seed));
        const json done = driver.ask(rounds_request("lockstep", 5));
        EXPECT_EQ(done.at("operations"), 50);
        EXPECT_EQ(done.at("idle_connections"), 30);
        server.stop();
        std::vector<std::size_t> numbers;
        for (const auto& peer : server.peers()) {
            if (peer->received > 0) numbers.push_back(peer->number);
        }
        EXPECT_EQ(numbers.size(), 10);
        return numbers;
    };
    const auto once = senders(1);
    EXPECT_EQ(senders(1), once);
    EXPECT_NE(senders(2), once);
}

TEST(Driver, ConnectsThroughAShortBacklog) {
    TestServer server(unix_address(), echo, /*backlog=*/1);
    DriverProcess driver;
    const json connected =
        driver.ask(connect_request(server, {{"connections", 100}, {"size", 64}}));
    ASSERT_EQ(connected.at("type"), "connected") << connected;
    EXPECT_EQ(driver.ask(rounds_request("lockstep", 2)).at("operations"), 200);
}

class DriverFanin : public testing::TestWithParam<std::string> {};

TEST_P(DriverFanin, SendsTheRoundsAskedFor) {
    FaninServer counting{.bytes_a_round = 6 * 50};
    TestServer server(unix_address(), std::ref(counting));
    DriverProcess driver;
    // Connection 0 acknowledges even where it is not among the active ones.
    const json params{{"connections", 300}, {"active", 6}, {"size", 50}, {"pipeline", 3}};
    const json connected = driver.ask(connect_request(server, params, "fanin"));
    ASSERT_EQ(connected.at("type"), "connected") << connected;
    const json done = driver.ask(rounds_request(GetParam(), 100));
    ASSERT_EQ(done.at("type"), "done") << done;
    EXPECT_EQ(done.at("rounds"), 100);
    EXPECT_EQ(done.at("operations"), 600);
    EXPECT_EQ(done.at("bytes"), 30'000);
    EXPECT_EQ(done.at("idle_connections"), 294);
    EXPECT_EQ(histogram_count(done), 600);
    const json more = driver.ask({{"type", "slice"},
                                  {"placement", GetParam()},
                                  {"min_ns", 1},
                                  {"min_operations_per_connection", 10}});
    EXPECT_GE(more.at("operations"), 60);
    EXPECT_EQ(histogram_count(more), more.at("operations"));
    server.stop();
    EXPECT_EQ(counting.wrong_bytes, 0);
    EXPECT_EQ(counting.unacknowledged, 0);
    const std::uint64_t rounds = 100 + more.at("rounds").get<std::uint64_t>();
    EXPECT_EQ(server.received(), 300 * 4 + rounds * 6 * 50);
}

TEST_P(DriverFanin, StreamsWholeMessages) {
    constexpr std::uint64_t share = 1'000'000 / 64 * 64 + 64;
    FaninServer counting{.bytes_a_round = 3 * share};
    TestServer server(unix_address(), std::ref(counting));
    DriverProcess driver;
    const json params{{"connections", 3}, {"size", 64}, {"stream", 1'000'001}, {"pipeline", 2}};
    const json connected = driver.ask(connect_request(server, params, "fanin"));
    EXPECT_EQ(connected.at("stream"), share);
    const json done = driver.ask(rounds_request(GetParam(), 4));
    ASSERT_EQ(done.at("type"), "done") << done;
    EXPECT_EQ(done.at("bytes"), 4 * 3 * share);
    EXPECT_EQ(done.at("operations"), 4 * 3 * share / 64);
    EXPECT_EQ(histogram_count(done), 4 * 3);  // one latency a sender and round
    server.stop();
    EXPECT_EQ(counting.wrong_bytes, 0);
}

TEST_P(DriverFanin, RefusesAnythingButTheAcknowledgement) {
    TestServer server(unix_address(), [](TestServer&, Peer& peer, Bytes bytes) {
        const std::byte nak{0x15};
        return bytes.size() < 64 || peer.send({&nak, 1});
    });
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 1}, {"size", 64}}, "fanin"));
    const json error = driver.ask(rounds_request(GetParam(), 2));
    ASSERT_EQ(error.at("type"), "error") << error;
    EXPECT_NE(error.at("what").get<std::string>().find("0x15"), std::string::npos) << error;
}

TEST_P(DriverFanin, GivesUpOnASilentServer) {
    TestServer server(unix_address(), swallow);
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 4}, {"size", 64}}, "fanin"));
    json request = rounds_request(GetParam(), 2);
    request["stall_ns"] = 50'000'000;
    const json error = driver.ask(request);
    ASSERT_EQ(error.at("type"), "error") << error;
    EXPECT_NE(error.at("what").get<std::string>().find("no answer for 0.05 s"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, DriverFanin, testing::Values("lockstep", "split"),
                         [](const auto& instance) { return instance.param; });

TEST(Driver, SurvivesBadRequestsAndInterrupts) {
    DriverProcess driver;
    driver.ask({{"type", "describe"}});  // it has started: signals are set up
    driver.interrupt();
    for (const char* line :
         {"{not json", "[]", "3", "{}", R"({"type": 7})", R"({"type": "dance"})",
          R"({"type": "slice", "placement": "lockstep", "rounds": 1})", "\xff"}) {
        driver.say(line);
        const json answer = driver.hear();
        EXPECT_EQ(answer.at("type"), "error") << line;
        EXPECT_FALSE(answer.at("what").get<std::string>().empty());
        EXPECT_FALSE(answer.at("remedy").get<std::string>().empty());
    }
    EXPECT_EQ(driver.ask({{"type", "describe"}}).at("type"), "description");
}

TEST(Driver, NamesTheParameterThatIsWrong) {
    TestServer server(unix_address(), echo);
    const std::vector<std::pair<std::string, json>> cases{
        {"connections", 0},  {"connections", -1},    {"connections", "many"},
        {"size", 0},         {"size", 1.5},          {"size", nullptr},
        {"active", 9},       {"pipeline", 0},        {"pipeline", 5'000'000'000},
        {"stream", 100},     {"no_delay", 1},        {"send_buffer", -1},
        {"backlog", "long"}, {"receive_buffer", -5}, {"connections", 2'000'000'000},
        {"rate", -1},        {"rate", "50%"},
    };
    for (const auto& [name, value] : cases) {
        DriverProcess driver;
        json params{{"connections", 8}, {"size", 64}};
        params[name] = value;
        const json error = driver.ask(connect_request(server, params));
        ASSERT_EQ(error.at("type"), "error") << name << ' ' << value;
        EXPECT_NE(error.at("what").get<std::string>().find("'" + name + "'"), std::string::npos)
            << error;
        EXPECT_NE(error.at("remedy").get<std::string>().find(name), std::string::npos) << error;
    }
}

TEST(Driver, NamesWhatIsWrongWithASlice) {
    TestServer server(unix_address(), echo);
    DriverProcess driver;
    driver.ask(connect_request(server, {{"connections", 2}, {"size", 64}}));
    EXPECT_EQ(driver.ask(rounds_request("lockstep", 0)).at("what"), "slice: 'rounds' is 0");
    EXPECT_EQ(driver.ask(rounds_request("upstairs", 1)).at("what"),
              "slice: 'placement' is \"upstairs\"");
    EXPECT_EQ(driver.ask({{"type", "slice"}, {"placement", "split"}}).at("what"),
              "slice: 'min_ns' is missing");
    // A refused request has harmed nothing.
    EXPECT_EQ(driver.ask(rounds_request("split", 3)).at("operations"), 6);
}

TEST(Driver, SaysThatNobodyListens) {
    std::string unix_target;
    std::string tcp_target;
    {
        TestServer unix_server(unix_address(), echo);
        TestServer tcp_server(tcp_address, echo);
        unix_target = unix_server.address();
        tcp_target = tcp_server.address();
    }
    for (const std::string& target : {unix_target, tcp_target}) {
        DriverProcess driver;
        const json error = driver.ask({{"type", "connect"},
                                       {"workload", "echo"},
                                       {"address", target},
                                       {"params", {{"connections", 2}, {"size", 64}}}});
        ASSERT_EQ(error.at("type"), "error") << error;
        EXPECT_NE(error.at("what").get<std::string>().find(target), std::string::npos) << error;
        EXPECT_NE(error.at("remedy").get<std::string>().find("nobody listens"), std::string::npos);
    }
}

}  // namespace
}  // namespace loopbench::test
