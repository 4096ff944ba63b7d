// `baseline` and `gate --baseline` on the fake SUT.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "results/validation.hpp"
#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

class BaselineTest : public testing::Test {
  protected:
    /// What is measured, as short as can be.
    static std::vector<std::string> with_case(std::vector<std::string> arguments) {
        for (const char* more :
             {"--loops=fake", "--workloads=pingpong", "--metrics=cpu_ns_per_switch", "--blocks=6",
              "--slices=1", "--slice-ms=1"}) {
            arguments.emplace_back(more);
        }
        return arguments;
    }

    Outcome record() const { return run_loopbench(with_case({"baseline", file_})); }

    /// A margin so wide that no noise reaches it.
    Outcome gate(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments =
            with_case({"gate", "--baseline=" + file_, "--margin=cpu_ns_per_switch=1000"});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_loopbench(arguments);
    }

    json baseline() const {
        std::ifstream file(file_);
        return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    }

    void write(const json& baseline) const { std::ofstream(file_) << baseline.dump(); }

    /// The one sitting again and again, a minute apart, as if it had been recorded `times` (below
    /// ten) times.
    void repeat(int times) const {
        json all = baseline();
        json sitting = all["sittings"][0];
        all["sittings"].clear();
        for (int i = 0; i < times; ++i) {
            sitting["created"] = "2026-01-01T00:0" + std::to_string(i) + ":00Z";
            all["sittings"].push_back(sitting);
        }
        write(all);
    }

    TestDirectory directory_;
    std::string file_ = directory_.file("baseline.json");
};

TEST_F(BaselineTest, FewSittingsAreInconclusiveAndFiveAreEnough) {
    const Outcome first = record();
    ASSERT_EQ(first.status, 0) << first.errors;
    EXPECT_NE(first.output.find("1 sitting"), std::string::npos) << first.output;
    EXPECT_NE(first.output.find("a gate needs 5"), std::string::npos) << first.output;
    EXPECT_EQ(validate_result(baseline()), std::vector<std::string>{});

    repeat(4);
    const Outcome few = gate();
    EXPECT_EQ(few.status, 3) << few.output << few.errors;
    EXPECT_NE(few.output.find("4 sittings"), std::string::npos) << few.output;

    repeat(5);
    const Outcome enough = gate();
    EXPECT_EQ(enough.status, 0) << enough.output << enough.errors;
    EXPECT_EQ(enough.output.find("PASS"), 0U) << enough.output;
}

TEST_F(BaselineTest, SittingsThatAreNoMinuteApartCountOnce) {
    ASSERT_EQ(record().status, 0);
    const Outcome second = record();
    EXPECT_EQ(second.status, 0) << second.errors;
    // On a disturbed machine it was recorded more than twice.
    EXPECT_NE(second.output.find(" sittings, 1 of which counts"), std::string::npos)
        << second.output;
}

TEST_F(BaselineTest, AnotherEnvironmentIsRefusedWithAllDifferences) {
    ASSERT_EQ(record().status, 0);
    repeat(5);
    json all = baseline();
    json& last = all["sittings"].back()["fingerprint"];
    last["kernel"] = "Linux 2.6.32";
    last["driver"] = "version 0";
    write(all);
    const Outcome refused = gate();
    EXPECT_EQ(refused.status, 4) << refused.errors;
    EXPECT_NE(refused.errors.find("kernel: was Linux 2.6.32"), std::string::npos) << refused.errors;
    EXPECT_NE(refused.errors.find("driver: was version 0"), std::string::npos) << refused.errors;
    const Outcome recorded = record();
    EXPECT_EQ(recorded.status, 4) << "nor is it added to";
    EXPECT_EQ(baseline(), all);
    const Outcome allowed = gate({"--allow-environment-mismatch"});
    EXPECT_TRUE(allowed.status == 0 || allowed.status == 3) << allowed.errors;
}

TEST_F(BaselineTest, WhatItDoesNotHoldIsRefused) {
    ASSERT_EQ(record().status, 0);
    const Outcome other = gate({"--tasks=3"});
    EXPECT_EQ(other.status, 2);
    EXPECT_NE(other.errors.find("it has no cpu_ns_per_switch of pingpong on fake"),
              std::string::npos)
        << other.errors;
}

}  // namespace
}  // namespace loopbench
