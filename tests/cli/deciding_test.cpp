// `compare` and `gate` on the fake SUT: what they decide, and every exit code with its precedence.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "results/validation.hpp"
#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

class DecidingTest : public testing::Test {
  protected:
    void SetUp() override {
#ifdef LOOPBENCH_SANITIZED
        const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
        if (name != "WhatIsNoWorsePassesWith0" && name != "WhatIsNotLikeForLikeGetsNoVerdict" &&
            name != "AnArmThatCrashesLeavesTheOthersTheirResults") {
            GTEST_SKIP() << "starting a hundred sanitized processes takes ten seconds, and the "
                            "tests that are left run the same code";
        }
#endif
    }

    /// A directory with another build of the fake, whose operations have this many steps (20 in
    /// ours).
    std::string build_with_steps(int steps) {
        const std::string directory = directory_.file("build-" + std::to_string(steps));
        mkdir(directory.c_str(), 0755);
        const std::string program = directory + "/loopbench-sut-fake";
        std::ofstream(program) << "#!/bin/sh\nFAKE_WORK=" << steps
                               << " exec " LOOPBENCH_FAKE_DIRECTORY "/loopbench-sut-fake\n";
        chmod(program.c_str(), 0755);
        return directory;
    }

    std::vector<std::string> gate_arguments(const std::vector<std::string>& more,
                                            const std::string& loops, int blocks) const {
        std::vector<std::string> arguments{"gate",
                                           "--loops=" + loops,
                                           "--workloads=pingpong",
                                           "--metrics=cpu_ns_per_switch",
                                           "--blocks=" + std::to_string(blocks),
                                           "--slices=1",
                                           "--slice-ms=1",
                                           "--json=" + result_};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    Outcome gate(const std::vector<std::string>& more, const std::string& loops = "fake",
                 int blocks = 24) const {
        return run_loopbench(gate_arguments(more, loops, blocks));
    }

    /// Where slices are to be disturbed, no second try is wanted.
    Outcome gate_once(const std::vector<std::string>& more, const std::string& loops,
                      int blocks = 24) const {
        return Program(gate_arguments(more, loops, blocks)).wait();
    }

    Outcome compare(const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"compare", "--blocks=8", "--slices=2", "--slice-ms=1",
                                           "--json=" + result_};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_loopbench(arguments);
    }

    static std::string read(const std::string& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    json result() const {
        const json parsed = json::parse(read(result_));
        EXPECT_EQ(validate_result(parsed), std::vector<std::string>{});
        return parsed;
    }

    TestDirectory directory_;
    std::string result_ = directory_.file("result.json");
};

// Blocks enough for a regression also when adjacent ones are merged, which chance does now and
// then. Twenty times the work is a regression on the noisiest machine, and a margin of 900% holds
// on it.

TEST_F(DecidingTest, ARegressionExitsWith1) {
    const Outcome outcome = gate({"--against=" + build_with_steps(1)});
    EXPECT_EQ(outcome.status, 1) << outcome.output << outcome.errors;
    EXPECT_EQ(outcome.output.find("REGRESSION against"), 0U) << outcome.output;
    EXPECT_EQ(result()["gate"]["decision"], "REGRESSION");
    EXPECT_GT(result()["gate"]["cells"][0]["ratio"], 2);
}

TEST_F(DecidingTest, WhatIsNoWorsePassesWith0) {
    const Outcome outcome =
        gate({"--against=" + build_with_steps(400), "--markdown=" + directory_.file("comment.md")});
    EXPECT_EQ(outcome.status, 0) << outcome.output << outcome.errors;
    EXPECT_EQ(outcome.output.find("PASS"), 0U) << outcome.output;
    const json cell = result()["gate"]["cells"][0];
    EXPECT_EQ(cell["decision"], "PASS");
    EXPECT_EQ(cell["improved"], true);
    EXPECT_EQ(cell["arm"], "fake");
    EXPECT_EQ(cell["reference"], "fake (against)");
    EXPECT_NE(read(directory_.file("comment.md")).find("| pingpong on fake |"), std::string::npos);
}

TEST_F(DecidingTest, ABuildAgainstItselfTellsWhatCanBeFound) {
    const Outcome outcome = gate({"--aa", "--margin=cpu_ns_per_switch=900"});
    EXPECT_EQ(outcome.status, 0) << outcome.output << outcome.errors;
    EXPECT_NE(outcome.output.find("smallest slowdown found"), std::string::npos) << outcome.output;
    EXPECT_GT(result()["gate"]["detection"][0]["smallest_slowdown"], 9);
}

TEST_F(DecidingTest, TooFewBlocksAreInconclusive) {
    const std::vector<std::string> few{"--aa", "--margin=cpu_ns_per_switch=900"};
    EXPECT_EQ(gate(few, "fake", 2).status, 3);
    EXPECT_EQ(result()["gate"]["decision"], "INCONCLUSIVE");
    std::vector<std::string> lenient = few;
    lenient.emplace_back("--inconclusive=pass");
    EXPECT_EQ(gate(lenient, "fake", 2).status, 0);
    std::vector<std::string> strict = few;
    strict.emplace_back("--inconclusive=fail");
    EXPECT_EQ(gate(strict, "fake", 2).status, 1);
}

TEST_F(DecidingTest, ADisturbedMachineIsUnfitBeforeItIsInconclusive) {
    const Outcome outcome = gate_once({"--aa"}, "fake+restless=yes", 10);
    EXPECT_EQ(outcome.status, 4) << outcome.output << outcome.errors;
    EXPECT_NE(outcome.errors.find("unfit"), std::string::npos) << outcome.errors;
}

TEST_F(DecidingTest, ARegressionCountsBeforeAnUnfitMachine) {
    const Outcome outcome =
        gate_once({"--against=" + build_with_steps(1)}, "fake,fake+restless=yes");
    EXPECT_EQ(outcome.status, 1) << outcome.output << outcome.errors;
    EXPECT_NE(outcome.errors.find("unfit"), std::string::npos) << outcome.errors;
}

TEST_F(DecidingTest, AFailedWorkloadCountsBeforeARegression) {
    const Outcome outcome = gate({"--against=" + build_with_steps(1)}, "fake,fake+misbehave=crash");
    EXPECT_EQ(outcome.status, 5) << outcome.output << outcome.errors;
    EXPECT_NE(outcome.output.find("REGRESSION"), std::string::npos) << outcome.output;
    EXPECT_NE(outcome.output.find("broke off"), std::string::npos) << outcome.output;
}

TEST_F(DecidingTest, BadUsageCountsBeforeEverything) {
    EXPECT_EQ(gate({"--against=" + build_with_steps(1)}, "fake+misbehave=crash,nobody").status, 2);
}

TEST_F(DecidingTest, AnArmThatCrashesLeavesTheOthersTheirResults) {
    const Outcome outcome = compare({"--loops=fake+misbehave=crash,fake+corrupt=no",
                                     "--reference=fake", "--workloads=pingpong"});
    EXPECT_EQ(outcome.status, 5) << outcome.output << outcome.errors;
    EXPECT_NE(outcome.errors.find("fake+misbehave=crash: was killed by signal 6"),
              std::string::npos)
        << outcome.errors;
    const json all = result();
    EXPECT_EQ(all["complete"], false);
    for (const json& one : all["cases"]) {
        const json& cost = one["metrics"]["cpu_ns_per_switch"];
        if (one["arm"] == "fake+misbehave=crash") {
            EXPECT_EQ(cost["median"], nullptr);
        } else {
            EXPECT_GE(cost["n"], 6) << one["arm"];
            EXPECT_TRUE(cost["ci95"].is_array()) << one["arm"];
        }
    }
    for (const json& one : all["comparisons"]) {
        if (one["metric"] != "cpu_ns_per_switch") continue;
        const bool crashed = one["arm"] == "fake+misbehave=crash";
        EXPECT_EQ(one["ratio"].is_null(), crashed) << one;
        EXPECT_EQ(one["verdict"] == "no verdict: fake+misbehave=crash broke off", crashed) << one;
    }
}

TEST_F(DecidingTest, ListsOfParametersAreMeasuredOneAfterTheOther) {
    const Outcome outcome = compare({"--loops=fake+corrupt=no", "--reference=fake",
                                     "--workloads=pingpong,timers", "--tasks=2,4"});
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    EXPECT_NE(outcome.errors.find("plan: 3 cases"), std::string::npos) << outcome.errors;
    std::vector<std::string> cases;
    const json all = result();
    for (const json& one : all["cases"]) {
        if (one["arm"] != "fake") continue;
        cases.push_back(one["workload"].get<std::string>() + " " +
                        one["params"].value("tasks", json()).dump());
    }
    EXPECT_EQ(cases, (std::vector<std::string>{"pingpong 2", "pingpong 4", "timers null"}));
}

TEST_F(DecidingTest, WhatIsNotLikeForLikeGetsNoVerdict) {
    // The fake says that it cannot apply the read buffer.
    const Outcome outcome = compare(
        {"--loops=fake+corrupt=no", "--reference=fake", "--workloads=echo", "--connections=4"});
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    EXPECT_NE(outcome.output.find("not like for like: read_buffer"), std::string::npos)
        << outcome.output;
    const json all = result();
    for (const json& one : all["comparisons"]) {
        if (one["metric"] == "cpu_ns_per_op") {
            EXPECT_EQ(one["verdict"], "unclear: not like for like: read_buffer");
        }
    }
}

TEST_F(DecidingTest, TheSeedRepeatsThePlan) {
    const auto order = [&] {
        compare(
            {"--loops=fake+corrupt=no", "--reference=fake", "--workloads=pingpong", "--seed=5"});
        std::vector<int> places;
        const json all = result();
        for (const json& slice : all["cases"][0]["samples"]) places.push_back(slice["slice"]);
        return places;
    };
    EXPECT_EQ(order(), order());
}

}  // namespace
}  // namespace loopbench
