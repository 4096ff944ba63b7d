#include <tuple>
#include <vector>

#include "tests/workloads/client.hpp"
#include "tests/workloads/sut_process.hpp"

namespace loopbench {
namespace {

std::string hello(std::uint32_t number) {
    std::string bytes(4, '\0');
    for (int i = 0; i < 4; ++i)
        bytes[static_cast<std::size_t>(i)] = static_cast<char>(number >> 8 * i);
    return bytes;
}

/// A fan-in of each loop and reference in each of its forms, with three senders.
class Fanin : public OverSuts<std::tuple<std::string, std::string>> {
  protected:
    static constexpr std::uint32_t senders = 3;

    Fanin() : sut_(std::get<0>(GetParam())) {}

    void start(std::size_t stream = 0) {
        const nlohmann::json ready = sut_.set_up("fanin",
                                                 {{"connections", senders},
                                                  {"size", 100},
                                                  {"stream", stream},
                                                  {"read_buffer", 4096},
                                                  {"api", std::get<1>(GetParam())}},
                                                 "127.0.0.1:0");
        ASSERT_EQ(ready.value("type", ""), "ready") << ready;
        for (std::uint32_t i = 0; i < senders; ++i) {
            clients_.emplace_back(ready["address"].get<std::string>());
        }
        address_ = ready["address"];
    }

    /// What was found wrong, once the SUT has seen it: the connection that brought it is closed.
    std::string mistake_after_closing(const Client& client) {
        EXPECT_EQ(client.receive(1), "");
        const nlohmann::json answer = sut_.ask({{"type", "mark"}});
        EXPECT_EQ(answer["type"], "error");
        return answer.value("what", "");
    }

    SutProcess sut_;
    std::string address_;
    std::vector<Client> clients_;
};

TEST_P(Fanin, AcknowledgesRoundsAndCounts) {
    start();
    // Number 0 speaks last, so that the first acknowledgement has to wait for its hello.
    for (std::uint32_t i = senders; i-- > 0;) {
        clients_[i].send(hello(i).substr(0, 3));
        clients_[i].send(hello(i).substr(3));
    }
    constexpr std::size_t rounds = 50;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::uint32_t i = senders; i-- > 0;) {
            clients_[i].send(pattern_bytes(i, 100, round * 100));
        }
        EXPECT_EQ(clients_[0].receive(1), "\x06");
    }
    const nlohmann::json counters = sut_.counters();
    EXPECT_EQ(counters["operations"], rounds * senders);
    EXPECT_EQ(counters["bytes"], rounds * senders * 100);
    EXPECT_EQ(counters["steady_connections"], senders);
}

TEST_P(Fanin, CountsMessagesInPiecesAndTogether) {
    start();
    for (std::uint32_t i = 0; i < senders; ++i) clients_[i].send(hello(i));
    clients_[1].send(pattern_bytes(1, 350));
    clients_[0].send(pattern_bytes(0, 100));
    clients_[2].send(pattern_bytes(2, 50));
    EXPECT_EQ(clients_[0].receive(1), "\x06");  // three messages and a half, one, and a half
    clients_[2].send(pattern_bytes(2, 50, 50));
    clients_[1].send(pattern_bytes(1, 50, 350));
    EXPECT_EQ(clients_[0].receive(1), "\x06");
    EXPECT_EQ(sut_.counters()["operations"], 6);
}

TEST_P(Fanin, AcknowledgesStreamsByBytes) {
    start(100'000);
    for (std::uint32_t i = 0; i < senders; ++i) clients_[i].send(hello(i));
    for (std::size_t round = 0; round < 3; ++round) {
        for (std::uint32_t i = 0; i < senders; ++i) {
            clients_[i].send(pattern_bytes(i, 100'000, round * 100'000));
        }
        EXPECT_EQ(clients_[0].receive(1), "\x06");
    }
    EXPECT_EQ(sut_.counters()["bytes"], 900'000);
}

TEST_P(Fanin, FindsAWrongByte) {
    start();
    std::string message = pattern_bytes(1, 100);
    message[57] ^= 1;
    clients_[1].send(hello(1) + message);
    EXPECT_NE(mistake_after_closing(clients_[1]).find("connection 1"), std::string::npos);
}

TEST_P(Fanin, FindsAMessageOutOfOrder) {
    start();
    clients_[0].send(hello(0) + pattern_bytes(0, 100, 100));
    EXPECT_NE(mistake_after_closing(clients_[0]).find("not its pattern"), std::string::npos);
}

TEST_P(Fanin, FindsAMessageThatIsTooShort) {
    start();
    clients_[2].send(hello(2) + pattern_bytes(2, 130));
    clients_[2].end_sending();
    EXPECT_NE(mistake_after_closing(clients_[2]).find("30 of the 100 bytes"), std::string::npos);
}

TEST_P(Fanin, FindsANumberThatIsTakenOrTooHigh) {
    start();
    clients_[1].send(hello(senders));
    EXPECT_NE(mistake_after_closing(clients_[1]).find("its number is 3"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Loops, Fanin,
                         testing::Combine(testing::ValuesIn(built_loops()),
                                          testing::Values("push", "pull", "task")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(References, Fanin,
                         testing::Combine(testing::ValuesIn(built_references({"bare", "native-uv",
                                                                              "native-asio"})),
                                          testing::Values("push")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Python, Fanin,
                         testing::Combine(testing::ValuesIn(built_references({"asyncio",
                                                                              "uvloop"})),
                                          testing::Values("push", "pull", "task")),
                         test_name);

}  // namespace
}  // namespace loopbench
