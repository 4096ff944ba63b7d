#include "workloads/parameters.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "workloads/storm.hpp"
#include "workloads/workload.hpp"

namespace loopbench {
namespace {

TEST(Parameters, HaveTheDefaultsOfACase) {
    const SocketParameters parameters = socket_parameters(nlohmann::json::object());
    EXPECT_EQ(parameters.connections, 64);
    EXPECT_EQ(parameters.active, 64);
    EXPECT_EQ(parameters.size, 64);
    EXPECT_EQ(parameters.read_buffer, 65536);
    EXPECT_EQ(parameters.api, Api::push);
    EXPECT_TRUE(parameters.listen.socket.no_delay);
    EXPECT_EQ(parameters.listen.backlog, 4096);
    EXPECT_EQ(loop_options(nlohmann::json::object()).poll_interval, 61);
}

TEST(Parameters, AreWhatWasGiven) {
    const nlohmann::json params{{"connections", 9},    {"active", 4},       {"size", 5},
                                {"stream", 6},         {"api", "task"},     {"read_buffer", 7},
                                {"backlog", 8},        {"no_delay", false}, {"send_buffer", 10},
                                {"receive_buffer", 11}};
    const SocketParameters parameters = socket_parameters(params);
    EXPECT_EQ(parameters.connections, 9);
    EXPECT_EQ(parameters.active, 4);
    EXPECT_EQ(parameters.size, 5);
    EXPECT_EQ(parameters.stream, 6);
    EXPECT_EQ(parameters.api, Api::task);
    EXPECT_EQ(parameters.read_buffer, 7);
    EXPECT_EQ(parameters.listen.backlog, 8);
    EXPECT_FALSE(parameters.listen.socket.no_delay);
    EXPECT_EQ(parameters.listen.socket.send_buffer, 10);
    EXPECT_EQ(parameters.listen.socket.receive_buffer, 11);
}

TEST(Storm, SharesItsEventsByTheMix) {
    const Storm storm = storm_parameters({{"pending", 100'000}, {"mix", "30:20:10"}});
    EXPECT_EQ(storm.pending, 100'000);
    EXPECT_EQ(storm.restarts, 3 * storm.expiries);
    EXPECT_EQ(storm.cancels, 2 * storm.expiries);
    EXPECT_EQ(storm.starts(), 6 * storm.expiries);
    EXPECT_EQ(storm.handlings(), 9 * storm.expiries);
    EXPECT_LE(storm.starts(), storm.pending / 4);
}

TEST(Storm, HasARoundAlsoOfTheFewestTimers) {
    const Storm storm = storm_parameters({{"pending", 12}, {"mix", "1:1:1"}});
    EXPECT_EQ(storm.restarts, 1);
    EXPECT_EQ(storm.cancels, 1);
    EXPECT_EQ(storm.expiries, 1);
}

TEST(Storm, RefusesWhatIsNoMix) {
    for (const char* mix : {"", "1", "1:1", "1:1:1:1", "1:1:", "a:b:c", "-1:1:1", "1 :1:1", "0:0:0",
                            "1001:1:1", "1:1:99999999999"}) {
        try {
            storm_parameters({{"mix", mix}});
            ADD_FAILURE() << "'" << mix << "' was taken";
        } catch (const WorkloadError& error) {
            EXPECT_NE(std::string(error.what()).find("mix"), std::string::npos);
            EXPECT_NE(error.remedy().find("1:1:1"), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace loopbench
