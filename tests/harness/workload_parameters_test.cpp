#include "harness/workload_parameters.hpp"

#include <gtest/gtest.h>

#include "harness/errors.hpp"

namespace loopbench {
namespace {

nlohmann::json resolve(const char* workload, const std::map<std::string, std::string>& given) {
    return resolve_parameters(find_workload("--workload", workload), given);
}

TEST(WorkloadParametersTest, AllParametersOfAWorkloadAreAlwaysThere) {
    const nlohmann::json echo = resolve("echo", {});
    EXPECT_EQ(echo["connections"], 64);
    EXPECT_EQ(echo["active"], 64) << "all connections, unless fewer are wanted";
    EXPECT_EQ(echo["transport"], "unix");
    EXPECT_EQ(echo["no_delay"], true);
    EXPECT_EQ(echo["read_buffer"], 65536);
    EXPECT_FALSE(echo.contains("pending"));
    EXPECT_EQ(resolve("fanin", {})["connections"], 256);
    EXPECT_EQ(resolve("timers", {}), (nlohmann::json{{"pending", 100000}, {"mix", "1:1:1"}}));
}

TEST(WorkloadParametersTest, GivenValuesWin) {
    const nlohmann::json echo =
        resolve("echo", {{"connections", "8"}, {"no_delay", "false"}, {"api", "task"}});
    EXPECT_EQ(echo["connections"], 8);
    EXPECT_EQ(echo["active"], 8);
    EXPECT_EQ(echo["no_delay"], false);
    EXPECT_EQ(echo["api"], "task");
    EXPECT_EQ(resolve("timers", {{"mix", "0:3:1"}})["mix"], "0:3:1");
}

TEST(WorkloadParametersTest, ARateIsANumberOrAShareOfTheMaximum) {
    EXPECT_EQ(resolve("echo", {})["rate"], 0) << "a closed loop";
    EXPECT_EQ(resolve("echo", {{"rate", "20000"}})["rate"], 20000);
    EXPECT_EQ(resolve("echo", {{"rate", "50%"}})["rate"], "50%");
    EXPECT_EQ(resolve("echo", {{"rate", "12.50%"}})["rate"], "12.5%");
}

TEST(WorkloadParametersTest, WhatCannotBeIsRefused) {
    const std::vector<std::array<const char*, 3>> refused{
        {"echo", "connections", "0"},
        {"echo", "connections", "-1"},
        {"echo", "connections", "64k"},
        {"echo", "connections", ""},
        {"echo", "connections", "1e3"},
        {"echo", "size", "0"},
        {"echo", "size", "99999999999999"},
        {"echo", "size", "99999999999999999999999"},
        {"echo", "active", "65"},
        {"echo", "transport", "udp"},
        {"echo", "api", "pusch"},
        {"echo", "no_delay", "1"},
        {"echo", "pending", "10"},
        {"timers", "size", "10"},
        {"timers", "mix", "1:1"},
        {"timers", "mix", "1:1:1:1"},
        {"timers", "mix", "0:0:0"},
        {"timers", "mix", "1:-1:1"},
        {"timers", "mix", "a:b:c"},
        {"timers", "mix", ""},
        {"pingpong", "variant", "cancle"},
        {"pingpong", "tasks", "1"},
        {"fanin", "size", "67108864"},
        {"fanin", "rate", "1000"},
        {"echo", "rate", "-1"},
        {"echo", "rate", "0%"},
        {"echo", "rate", "-5%"},
        {"echo", "rate", "201%"},
        {"echo", "rate", "nan%"},
        {"echo", "rate", "50 %"},
        {"echo", "rate", "%"},
        {"echo", "rate", "1e3"},
        {"echo", "rate", "25%,50%"},
        {"echo", "rate", "10000001"},
    };
    for (const auto& [workload, name, value] : refused) {
        try {
            resolve(workload, {{name, value}});
            ADD_FAILURE() << workload << " took " << name << " = " << value;
        } catch (const UsageError& error) {
            const std::string text = error.what();
            EXPECT_NE(text.find("--"), std::string::npos) << text;
            EXPECT_NE(text.find(value), std::string::npos) << text;
            EXPECT_EQ(text.find('\n'), std::string::npos) << text;
        }
    }
}

TEST(WorkloadParametersTest, EveryParameterTakesItsOwnDefaults) {
    for (const WorkloadInfo& workload : all_workloads()) {
        const nlohmann::json presets = resolve_parameters(workload, {});
        std::map<std::string, std::string> given;
        for (const auto& [name, value] : presets.items()) {
            given[name] = value.is_string() ? value.get<std::string>() : value.dump();
        }
        EXPECT_EQ(resolve_parameters(workload, given), presets) << workload.name;
    }
}

TEST(WorkloadParametersTest, AnUnknownWorkloadHasANearestName) {
    try {
        find_workload("--workload", "ecko");
        FAIL();
    } catch (const UsageError& error) {
        EXPECT_STREQ(error.what(),
                     "--workload=ecko: there is no such workload; did you mean echo?");
    }
}

}  // namespace
}  // namespace loopbench
