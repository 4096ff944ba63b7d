#include "harness/doctor.hpp"

#include <gtest/gtest.h>

#include "harness/sut_checks.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

Finding sample(std::optional<Grade> grade) {
    Finding finding = finding_of("boost", "frequency boost");
    finding.found(true, "on");
    if (!grade) return finding;
    return std::move(finding).but(*grade, "it is on", "switch it off");
}

TEST(DoctorTest, OnlyUnfitMakesAMachineUnfit) {
    EXPECT_TRUE(is_fit({}));
    EXPECT_TRUE(is_fit({sample({}), sample(Grade::note), sample(Grade::voids)}));
    EXPECT_FALSE(is_fit({sample({}), sample(Grade::unfit)}));
}

TEST(DoctorTest, TheTableNamesCheckFindingGradeAndRemedy) {
    const std::string text = format_findings({sample({}), sample(Grade::unfit)});
    EXPECT_NE(text.find("frequency boost  on       ok\n"), std::string::npos) << text;
    EXPECT_NE(text.find("frequency boost  on       unfit  switch it off\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("unfit: frequency boost: it is on\n"), std::string::npos) << text;
    EXPECT_NE(text.find("this machine is unfit to measure on\n"), std::string::npos) << text;
    EXPECT_NE(format_findings({sample({})}).find("is fit"), std::string::npos);
}

TEST(DoctorTest, JsonHoldsTheSame) {
    const json found = findings_to_json({sample({}), sample(Grade::note)});
    EXPECT_EQ(found["schema"], "loopbench-doctor/1");
    EXPECT_EQ(found["fit"], true);
    EXPECT_EQ(found["findings"][0], (json{{"id", "boost"},
                                          {"check", "frequency boost"},
                                          {"value", true},
                                          {"shown", "on"},
                                          {"grade", "ok"}}));
    EXPECT_EQ(found["findings"][1]["grade"], "note");
    EXPECT_EQ(found["findings"][1]["text"], "it is on");
    EXPECT_EQ(found["findings"][1]["remedy"], "switch it off");
}

DescribedSut sut(const std::string& name, bool assertions, const std::string& sanitizers) {
    return {name, {{"build", {{"assertions", assertions}, {"sanitizers", sanitizers}}}}};
}

TEST(SutChecksTest, BuildsThatAreNotForMeasuring) {
    EXPECT_FALSE(check_assertions({sut("a", false, "")}).grade);
    EXPECT_FALSE(check_sanitizers({sut("a", true, "")}).grade);
    EXPECT_EQ(check_assertions({sut("a", true, ""), sut("b", false, ""), sut("c", true, "")}).text,
              "a, c were built with assertions");
    EXPECT_EQ(check_sanitizers({sut("a", true, "address")}).text,
              "a was built with sanitizers (address)");
    EXPECT_FALSE(check_assertions({sut("a", true, "address")}).grade) << "the lesser evil";
    EXPECT_FALSE(check_assertions({{"a", json::object()}}).grade) << "it need not tell";
}

TEST(SutChecksTest, WhatCannotWorkIsToldWithItsRemedy) {
    const DescribedSut good{"good", json::object()};
    const DescribedSut bad{"bad",
                           {{"available", false}, {"reason", "no ring"}, {"remedy", "get one"}}};
    EXPECT_FALSE(check_suts({good}, {}).grade);
    const Finding finding = check_suts({good, bad}, {{"absent", "libabsent-dev"}});
    EXPECT_EQ(finding.grade, Grade::note);
    EXPECT_NE(finding.text.find("bad: no ring"), std::string::npos) << finding.text;
    EXPECT_NE(finding.remedy.find("get one"), std::string::npos) << finding.remedy;
    EXPECT_NE(finding.remedy.find("apt-get install libabsent-dev"), std::string::npos);
    EXPECT_EQ(finding.value, (json{"bad", "absent"}));
    EXPECT_FALSE(check_suts({good}, {{"good", "lib"}}).grade) << "found elsewhere";
}

TEST(SutChecksTest, NothingToMeasureIsUnfit) {
    EXPECT_EQ(check_suts({}, {}).grade, Grade::unfit);
    EXPECT_EQ(check_suts({{"a", {{"available", false}}}}, {}).grade, Grade::unfit);
}

TEST(SutChecksTest, WithoutTheDriverThereAreNoSockets) {
    EXPECT_EQ(check_driver_found("").grade, Grade::note);
    EXPECT_FALSE(check_driver_found("/usr/bin/loopbench-driver").grade);
}

}  // namespace
}  // namespace loopbench
