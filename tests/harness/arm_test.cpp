#include "harness/arm.hpp"

#include <gtest/gtest.h>

#include "harness/errors.hpp"

namespace loopbench {
namespace {

TEST(ArmTest, APlainNameHasNoKeys) {
    const ArmSpec arm = parse_arm("--loop", "asio-uring");
    EXPECT_EQ(arm.id, "asio-uring");
    EXPECT_EQ(arm.name, "asio-uring");
    EXPECT_FALSE(arm.program);
    EXPECT_TRUE(arm.keys.empty());
}

TEST(ArmTest, KeysFollowPlusSigns) {
    const ArmSpec arm = parse_arm("--loop", "uring+send=request+depth=64");
    EXPECT_EQ(arm.id, "uring+send=request+depth=64");
    EXPECT_EQ(arm.name, "uring");
    EXPECT_EQ(arm.keys, (std::map<std::string, std::string>{{"send", "request"}, {"depth", "64"}}));
}

TEST(ArmTest, AnExternalProgramIsNamedByItsFile) {
    const ArmSpec arm = parse_arm("--loop", "exec:./g++/my-sut+gc=off");
    EXPECT_EQ(arm.name, "my-sut");
    EXPECT_EQ(arm.program, std::filesystem::path("./g++/my-sut"));
    EXPECT_EQ(arm.keys, (std::map<std::string, std::string>{{"gc", "off"}}));
}

TEST(ArmTest, WhatIsNoArmIsRefusedWithTheFlag) {
    for (const char* text : {"", "+a=b", "uv+", "uv+key", "uv+key=", "uv+=value", "uv+a=1+a=2",
                             "two words", "epoll,uv", "exec:", "../uv"}) {
        try {
            parse_arm("--reference", text);
            ADD_FAILURE() << "'" << text << "' was taken for an arm";
        } catch (const UsageError& error) {
            EXPECT_NE(std::string(error.what()).find("--reference="), std::string::npos) << text;
        }
    }
}

}  // namespace
}  // namespace loopbench
