#include "workloads/intake.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace loopbench {
namespace {

class IntakeTest : public testing::Test {
  protected:
    /// A hello, and then `count` bytes of the pattern.
    static std::vector<std::byte> stream(std::uint32_t number, std::size_t count) {
        std::vector<std::byte> bytes;
        for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::byte>(number >> 8 * i));
        for (std::size_t k = 0; k < count; ++k) {
            bytes.push_back(static_cast<std::byte>(((number % 251 + k) % 251 * 167 + 13) % 251));
        }
        return bytes;
    }

    static SocketParameters parameters() {
        SocketParameters result;
        result.connections = 1000;
        result.active = 2;
        result.size = 10;
        result.read_buffer = 4096;
        return result;
    }

    SelfCheck check_;
    Intake intake_{parameters(), check_};
};

TEST_F(IntakeTest, TakesAStreamCutAnywhere) {
    for (std::size_t piece = 1; piece < 40; ++piece) {
        SelfCheck check;
        Intake intake(parameters(), check);
        Sender sender(intake);
        const std::vector<std::byte> bytes = stream(777, 1000);
        for (std::size_t from = 0; from < bytes.size(); from += piece) {
            const std::size_t count = std::min(piece, bytes.size() - from);
            ASSERT_TRUE(sender.receive({bytes.data() + from, count})) << *check.mistake();
        }
        sender.end();
        EXPECT_FALSE(check.mistake());
        EXPECT_EQ(intake.counters().operations, 100);
        EXPECT_EQ(intake.counters().bytes, 1000);
        EXPECT_EQ(intake.take_due(), 50);
        EXPECT_EQ(intake.take_due(), 0);
    }
}

TEST_F(IntakeTest, FindsEveryWrongByte) {
    const std::vector<std::byte> right = stream(3, 300);
    for (std::size_t wrong = 4; wrong < right.size(); ++wrong) {
        SelfCheck check;
        Intake intake(parameters(), check);
        Sender sender(intake);
        std::vector<std::byte> bytes = right;
        bytes[wrong] ^= std::byte{0x80};
        EXPECT_FALSE(sender.receive(bytes)) << wrong;
        EXPECT_TRUE(check.mistake());
    }
}

TEST_F(IntakeTest, FindsALostByte) {
    Sender sender(intake_);
    std::vector<std::byte> bytes = stream(3, 300);
    bytes.erase(bytes.begin() + 100);
    EXPECT_FALSE(sender.receive(bytes));
}

TEST_F(IntakeTest, FindsANumberGivenTwice) {
    Sender first(intake_);
    Sender second(intake_);
    EXPECT_TRUE(first.receive(stream(5, 0)));
    EXPECT_FALSE(second.receive(stream(5, 0)));
    EXPECT_NE(check_.mistake()->find("number is 5"), std::string::npos);
}

TEST_F(IntakeTest, FindsAnEndWithoutHello) {
    Sender sender(intake_);
    EXPECT_TRUE(sender.receive(std::vector<std::byte>(3)));
    sender.end();
    EXPECT_TRUE(check_.mistake());
}

TEST_F(IntakeTest, KeepsTheNumberOfThoseThatCarryData) {
    Sender first(intake_);
    EXPECT_TRUE(first.receive(stream(1, 0)));
    EXPECT_EQ(intake_.counters().steady_connections, 0);
    {
        Sender second(intake_);
        EXPECT_TRUE(second.receive(stream(2, 10)));
        EXPECT_EQ(intake_.counters().steady_connections, 1);
    }
    EXPECT_EQ(intake_.counters().steady_connections, 0);
}

}  // namespace
}  // namespace loopbench
