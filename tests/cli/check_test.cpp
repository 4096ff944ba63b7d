// `list --check`: who keeps the control protocol passes, and who breaks it is told where.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

Outcome check(const std::string& arm, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"list", "--check=" + arm};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_loopbench(arguments);
}

void expect_pass(const std::string& arm) {
    const Outcome outcome = check(arm);
    EXPECT_EQ(outcome.status, 0) << outcome.output << outcome.errors;
    EXPECT_EQ(outcome.output.find("FAILED"), std::string::npos) << outcome.output;
    EXPECT_NE(outcome.output.find("0 failed"), std::string::npos) << outcome.output;
}

/// The first line of a failed check, which is to hold all of `told`.
void expect_first_failure(const std::string& keys, const std::vector<std::string>& told) {
    SCOPED_TRACE(keys);
    const Outcome outcome = check("fake" + keys, {"--timeout=2"});
    EXPECT_EQ(outcome.status, 5) << outcome.errors;
    const std::size_t start = outcome.output.find("FAILED ");
    ASSERT_NE(start, std::string::npos) << outcome.output;
    const std::string line = outcome.output.substr(start, outcome.output.find('\n', start) - start);
    for (const std::string& text : told) {
        EXPECT_NE(line.find(text), std::string::npos) << "'" << text << "' is not in: " << line;
    }
    for (const char* part : {"came: ", "; expected: ", "; would do: "}) {
        EXPECT_NE(line.find(part), std::string::npos) << line;
    }
}

/// Of the `node` on PATH; 0 when there is none.
int node_version() {
    FILE* program = popen("node --version 2>/dev/null", "r");
    int version = 0;
    if (std::fscanf(program, "v%d", &version) != 1) version = 0;
    pclose(program);
    return version;
}

TEST(CheckTest, AProgramThatKeepsTheProtocolPasses) {
    expect_pass("fake");
    expect_pass("exec:" LOOPBENCH_FAKE_DIRECTORY "/loopbench-sut-fake");
}

TEST(CheckTest, ALoopOfOursPasses) {
    expect_pass(LOOPBENCH_TEST_LOOP);
}

TEST(CheckTest, TheReferencesInThisBuildPass) {
    expect_pass("normaliser");
}

TEST(CheckTest, TheExampleInAnotherRuntimePassesAndIsMeasured) {
    if (node_version() < 18)
        GTEST_SKIP() << "Node.js 18 or later is needed: apt-get install nodejs";
    const std::string arm = "exec:" LOOPBENCH_RUNTIME_EXAMPLE;
    expect_pass(arm);
    const Outcome outcome = run_loopbench({"run", "--loop=" + arm, "--workload=echo", "--blocks=2",
                                           "--slices=1", "--slice-ms=3", "--connections=4"});
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
}

TEST(CheckTest, ALoopThatCannotWorkHereIsNotAtFault) {
    const Outcome outcome = check("fake+available=no");
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("skipped  workloads: it cannot work"), std::string::npos);
}

TEST(CheckTest, JsonHoldsEveryCheck) {
    const Outcome good = check("fake", {"--json"});
    EXPECT_EQ(good.status, 0);
    const json passed = json::parse(good.output);
    EXPECT_EQ(passed["arm"], "fake");
    EXPECT_EQ(passed["failed"], 0);
    const Outcome bad = check("fake+misbehave=version+at=describe", {"--json"});
    EXPECT_EQ(bad.status, 5);
    const json failed = json::parse(bad.output);
    EXPECT_EQ(failed["failed"], 1);
    const json& first = failed["checks"][0];
    EXPECT_EQ(first["outcome"], "FAILED");
    EXPECT_NE(first["came"].get<std::string>().find("version 99"), std::string::npos);
    EXPECT_FALSE(first["expected"].empty());
    EXPECT_FALSE(first["remedy"].empty());
    EXPECT_EQ(first["last_lines"], json::array({"misbehaving: version"}));
}

TEST(CheckTest, WhatBreaksTheProtocolIsNamed) {
    expect_first_failure("+misbehave=garbage+at=describe", {"FAILED   describe", "is not JSON"});
    expect_first_failure("+misbehave=silence+at=describe", {"FAILED   describe", "within 2 s"});
    expect_first_failure("+misbehave=last-words+at=quit", {"'quit' ends it", "said unasked"});
    expect_first_failure("+misbehave=exit+at=quit", {"'quit' ends it", "status 3"});
    expect_first_failure("+misbehave=musing+at=mark", {"unasked", "thought"});
    expect_first_failure("+misbehave=deaf+at=setup", {"echo (unix, push)", "/nonexistent/socket"});
    expect_first_failure("+misbehave=crash+at=mark", {"echo (unix, push)", "signal 6"});
    expect_first_failure("+misbehave=schema+at=mark", {"echo (unix, push)", "/counters/turns"});
}

TEST(CheckTest, WhatIsWronglyDoneIsNamed) {
    expect_first_failure("+corrupt=yes", {"driven by the driver", "every byte back"});
    expect_first_failure("+misbehave=silence+at=data",
                         {"driven by the driver", "no answer for 1 s"});
    expect_first_failure("+misbehave=forgetful+at=mark",
                         {"the counters agree", "operations", "expected: operations +80"});
    expect_first_failure("+lazy=yes", {"timers: a slice", "2999 operations"});
    expect_first_failure("+misbehave=error+at=setup", {"echo: offered", "each form was refused"});
}

}  // namespace
}  // namespace loopbench
