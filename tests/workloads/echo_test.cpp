#include <sys/resource.h>

#include <filesystem>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/workloads/client.hpp"
#include "tests/workloads/sut_process.hpp"

namespace loopbench {
namespace {

/// An echo server of each loop and reference in each of its forms, over TCP.
class Echo : public OverSuts<std::tuple<std::string, std::string>> {
  protected:
    Echo() : sut_(std::get<0>(GetParam())) {}

    void start(std::size_t connections = 4, const std::string& listen = "127.0.0.1:0") {
        const nlohmann::json ready = sut_.set_up(
            "echo", {{"connections", connections}, {"size", 64}, {"api", std::get<1>(GetParam())}},
            listen);
        ASSERT_EQ(ready.value("type", ""), "ready") << ready;
        address_ = ready["address"];
    }

    /// Sends and receives at the same time, as more than the sockets hold has to.
    static void expect_echo(const Client& client, std::size_t size) {
        const std::string message = pattern_bytes(3, size);
        std::thread sender([&] { EXPECT_TRUE(client.send(message)); });
        EXPECT_TRUE(client.receive(size) == message) << size << " bytes";
        sender.join();
    }

    SutProcess sut_;
    std::string address_;
};

TEST_P(Echo, GivesBackMessagesOfAllSizes) {
    start();
    const Client client(address_);
    for (const std::size_t size : {1, 2, 250, 65535, 65536, 65537, 1 << 20, 8 << 20}) {
        expect_echo(client, size);
    }
}

TEST_P(Echo, ListensOnUnixSockets) {
    std::string pattern = testing::TempDir() + "loopbench-XXXXXX";
    const std::string path = std::string(mkdtemp(pattern.data())) + "/socket";
    start(4, "unix:" + path);
    EXPECT_EQ(address_, "unix:" + path);
    expect_echo(Client(address_), 100'000);
    sut_.ask({{"type", "quit"}});
    EXPECT_FALSE(std::filesystem::exists(path));
    std::filesystem::remove_all(pattern);
}

TEST_P(Echo, ListensOnIpv6) {
    const nlohmann::json ready = sut_.set_up("echo", nlohmann::json::object(), "[::1]:0");
    if (ready.value("type", "") == "error") GTEST_SKIP() << "no IPv6 here: " << ready;
    expect_echo(Client(ready["address"]), 1000);
}

TEST_P(Echo, SendsEverythingAfterHalfClose) {
    start();
    const Client client(address_);
    const std::string message = pattern_bytes(0, 300'000);
    std::thread sender([&] {
        EXPECT_TRUE(client.send(message));
        client.end_sending();
    });
    EXPECT_TRUE(client.receive(message.size() + 1) == message);  // and then the end of file
    sender.join();
}

TEST_P(Echo, OutlivesResetsByOtherClients) {
    start();
    const Client client(address_);
    expect_echo(client, 10);
    for (int i = 0; i < 20; ++i) {
        Client other(address_);
        other.send(pattern_bytes(1, 100'000));
        other.reset();
    }
    expect_echo(client, 100'000);
}

TEST_P(Echo, DoesNotReadFromWhoDoesNotRead) {
    start();
    const Client client(address_);
    // A full way there and back, and what the server may hold itself, is far below this.
    constexpr std::size_t much = 256 << 20;
    std::size_t sent = 0;
    const std::string piece = pattern_bytes(0, 251 * 1024);
    client.limit_sending(std::chrono::milliseconds(300));
    while (sent < much && client.send(piece)) sent += piece.size();
    EXPECT_LT(sent, much);
    expect_echo(Client(address_), 1000);
}

TEST_P(Echo, ServesAThousandConnections) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    constexpr std::uint32_t connections = 1000;
    start(connections);
    std::vector<Client> clients;
    for (std::uint32_t i = 0; i < connections; ++i) clients.emplace_back(address_);
    for (std::uint32_t i = 0; i < connections; ++i) clients[i].send(pattern_bytes(i, 64));
    for (std::uint32_t i = 0; i < connections; ++i) {
        EXPECT_TRUE(clients[i].receive(64) == pattern_bytes(i, 64)) << "connection " << i;
    }
    const nlohmann::json counters = sut_.counters();
    EXPECT_EQ(counters["open_connections"], connections);
    EXPECT_EQ(counters["steady_connections"], connections);
    EXPECT_EQ(counters["operations"], connections);
    EXPECT_EQ(counters["bytes"], 64 * connections);
    // Closed with all of them open: the destructor of the process waits for its end.
    sut_.ask({{"type", "quit"}});
    EXPECT_EQ(sut_.wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(Loops, Echo,
                         testing::Combine(testing::ValuesIn(built_loops()),
                                          testing::Values("push", "pull", "task")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(References, Echo,
                         testing::Combine(testing::ValuesIn(built_references({"bare", "native-uv",
                                                                              "native-asio"})),
                                          testing::Values("push")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Python, Echo,
                         testing::Combine(testing::ValuesIn(built_references({"asyncio",
                                                                              "uvloop"})),
                                          testing::Values("push", "pull", "task")),
                         test_name);

}  // namespace
}  // namespace loopbench
