// `claims`, with as little measured as can be.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "results/validation.hpp"
#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

class ClaimsCommandTest : public testing::Test {
  protected:
    Outcome claims(std::vector<std::string> more) const {
        std::vector<std::string> arguments{"claims", "--only=timeout-cancels", "--blocks=1",
                                           "--slices=1", "--json=" + file_};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_loopbench(arguments);
    }

    json result() const {
        std::ifstream file(file_);
        return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    }

    /// As if the run had been interrupted before its last experiment was over.
    void interrupt() const {
        json all = result();
        all["complete"] = false;
        json& measured = all["plan"]["claims"]["measured"];
        measured.erase(measured.size() - 1);
        std::ofstream(file_) << all.dump();
    }

    TestDirectory directory_;
    std::string file_ = directory_.file("claims.json");
};

TEST_F(ClaimsCommandTest, JudgesAndGoesOnWhereItWasInterrupted) {
    const Outcome first = claims({"--quick"});
    ASSERT_TRUE(was_measured(first)) << first.errors;
    EXPECT_NE(first.errors.find("1 claim, 2 experiments"), std::string::npos) << first.errors;
    EXPECT_NE(first.output.find("timeout-cancels"), std::string::npos) << first.output;
    EXPECT_EQ(validate_result(result()), std::vector<std::string>{});
    ASSERT_EQ(result()["claims"].size(), 1);
    EXPECT_EQ(result()["claims"][0]["id"], "timeout-cancels");
    EXPECT_EQ(result()["complete"], true);
    const std::size_t cases = result()["cases"].size();

    interrupt();
    const Outcome other = claims({"--full"});
    EXPECT_EQ(other.status, 2);
    EXPECT_NE(other.errors.find("an incomplete result of other claims"), std::string::npos)
        << other.errors;
    const Outcome second = claims({"--quick"});
    ASSERT_TRUE(was_measured(second)) << second.errors;
    EXPECT_NE(second.errors.find("1 measured before"), std::string::npos) << second.errors;
    EXPECT_EQ(result()["complete"], true);
    EXPECT_EQ(result()["plan"]["claims"]["measured"].size(), 2);
    EXPECT_EQ(result()["cases"].size(), cases) << "what was unfinished was measured anew";
}

TEST_F(ClaimsCommandTest, WhatCannotBeIsRefused) {
    const Outcome misspelt = run_loopbench({"claims", "--only=timeout-cancel"});
    EXPECT_EQ(misspelt.status, 2);
    EXPECT_NE(misspelt.errors.find("did you mean timeout-cancels?"), std::string::npos)
        << misspelt.errors;
    const Outcome both = claims({"--quick", "--full"});
    EXPECT_EQ(both.status, 2);
    EXPECT_NE(both.errors.find("the opposite of --full"), std::string::npos) << both.errors;
    const Outcome own = claims({"--own"});
    EXPECT_EQ(own.status, 2);
    EXPECT_NE(own.errors.find("--only says which claims"), std::string::npos) << own.errors;
    std::ofstream(file_) << "{}";
    const Outcome foreign = claims({"--quick"});
    EXPECT_EQ(foreign.status, 2);
    EXPECT_NE(foreign.errors.find("it is no result"), std::string::npos) << foreign.errors;
}

TEST_F(ClaimsCommandTest, AreListedWithWhatWouldRefuteThem) {
    const Outcome list = run_loopbench({"list", "claims", "--json"});
    EXPECT_EQ(list.status, 0);
    const json claims = json::parse(list.output);
    EXPECT_GE(claims.size(), 10);
    for (const json& claim : claims) {
        for (const char* part : {"statement", "source", "meaning", "limits"}) {
            EXPECT_FALSE(claim.at(part).get<std::string>().empty()) << claim;
        }
    }
}

}  // namespace
}  // namespace loopbench
