// The doctor on this machine, whatever it is.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

const std::set<std::string> grades{"ok", "note", "voids", "unfit"};

TEST(DoctorCommandTest, JsonHoldsEveryFindingOnce) {
    const Outcome outcome = run_loopbench({"doctor", "--json"});
    const json found = json::parse(outcome.output);
    EXPECT_EQ(outcome.errors, "");
    EXPECT_EQ(found.at("schema"), "loopbench-doctor/1");
    std::set<std::string> ids;
    bool fit = true;
    for (const json& finding : found.at("findings")) {
        const auto grade = finding.at("grade").get<std::string>();
        EXPECT_TRUE(ids.insert(finding.at("id")).second) << finding;
        EXPECT_TRUE(grades.contains(grade)) << finding;
        EXPECT_TRUE(finding.contains("value")) << finding;
        EXPECT_FALSE(finding.at("check").get<std::string>().empty()) << finding;
        EXPECT_FALSE(finding.at("shown").get<std::string>().empty()) << finding;
        EXPECT_EQ(finding.contains("remedy"), grade != "ok") << finding;
        EXPECT_EQ(finding.contains("text"), grade != "ok") << finding;
        EXPECT_EQ(finding.contains("metric"), grade == "voids") << finding;
        fit = fit && grade != "unfit";
    }
    EXPECT_EQ(found.at("fit"), fit);
    EXPECT_EQ(outcome.status, fit ? 0 : 4);
    for (const char* id : {"one_processor", "governor", "other_load", "delivered_cpu", "steal",
                           "speed_drift", "debug_build", "sanitizers", "missing_suts"}) {
        EXPECT_TRUE(ids.contains(id)) << id;
    }
}

TEST(DoctorCommandTest, TheTableEndsWithTheVerdict) {
    const Outcome outcome = run_loopbench({"doctor"});
    ASSERT_TRUE(outcome.status == 0 || outcome.status == 4) << outcome.errors;
    EXPECT_NE(outcome.output.find("what to change"), std::string::npos) << outcome.output;
    EXPECT_TRUE(outcome.output.ends_with(outcome.status == 0
                                             ? "\nthis machine is fit to measure on\n"
                                             : "\nthis machine is unfit to measure on\n"))
        << outcome.output;
}

}  // namespace
}  // namespace loopbench
