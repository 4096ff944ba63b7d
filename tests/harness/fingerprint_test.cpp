#include "harness/fingerprint.hpp"

#include <gtest/gtest.h>

#include "harness/environment.hpp"

namespace loopbench {
namespace {

using nlohmann::json;
using Lines = std::vector<std::string>;

json recorded() {
    return {{"kernel", "Linux 6.1.0"},
            {"cpu_model", "A"},
            {"cpu_mhz", "2000.1"},
            {"cpus", 4},
            {"cpus_allowed", {0, 1}},
            {"governor", nullptr},
            {"virtual_machine", false},
            {"mitigations", {{"meltdown", "Not affected"}, {"retbleed", "Mitigation: IBPB"}}},
            {"boot_id", "one"},
            {"load_before", "0.5 0.5 0.5 1/9 9"}};
}

TEST(FingerprintTest, TheSameMachineAfterAnotherBootIsAlike) {
    json later = recorded();
    later["boot_id"] = "two";
    later["cpu_mhz"] = "3100.7";
    later["load_before"] = "9.9 9.9 9.9 1/9 9";
    later["cpus_allowed"] = {2, 3};
    EXPECT_EQ(fingerprint(recorded()), fingerprint(later));
    EXPECT_EQ(differences(fingerprint(recorded()), fingerprint(later)), Lines{});
}

TEST(FingerprintTest, DifferencesAreToldInWords) {
    json later = recorded();
    later["kernel"] = "Linux 6.18.4";
    later["cpus_allowed"] = {0};
    later["governor"] = "powersave";
    later["virtual_machine"] = true;
    EXPECT_EQ(differences(fingerprint(recorded()), fingerprint(later)),
              (Lines{"kernel: was Linux 6.1.0, is Linux 6.18.4", "processors allowed: was 2, is 1",
                     "frequency governor: was not told, is powersave",
                     "virtual machine: was no, is yes"}));
}

TEST(FingerprintTest, EachMitigationIsToldApart) {
    json later = recorded();
    later["mitigations"]["retbleed"] = "Vulnerable";
    later["mitigations"]["reptar"] = "Not affected";
    EXPECT_EQ(differences(fingerprint(recorded()), fingerprint(later)),
              (Lines{"mitigation of reptar: was not told, is Not affected",
                     "mitigation of retbleed: was Mitigation: IBPB, is Vulnerable"}));
    later["mitigations"] = nullptr;
    EXPECT_EQ(differences(fingerprint(recorded()), fingerprint(later)).size(), 1u);
}

TEST(FingerprintTest, WhatAnotherVersionDidNotRecordSaysNothing) {
    json later = recorded();
    later["aslr"] = "2";
    later.erase("cpu_model");
    EXPECT_EQ(differences(fingerprint(recorded()), fingerprint(later)), Lines{});
}

TEST(FingerprintTest, ThisMachineIsLikeItself) {
    const json now = fingerprint(read_environment());
    EXPECT_TRUE(now.contains("kernel"));
    EXPECT_FALSE(now.contains("boot_id"));
    EXPECT_EQ(differences(now, fingerprint(read_environment())), Lines{});
    EXPECT_EQ(differences(json::parse(now.dump()), now), Lines{}) << "from a file";
}

}  // namespace
}  // namespace loopbench
