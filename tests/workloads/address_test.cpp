#include "harness/address.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace loopbench {
namespace {

TEST(Address, ComesBackAsItWasWritten) {
    for (const char* text :
         {"127.0.0.1:0", "10.1.2.3:65535", "[::1]:7", "[fe80::1]:80", "unix:/run/some socket"}) {
        EXPECT_EQ(format_address(parse_address(text)), text);
    }
}

TEST(Address, RefusesWhatIsNoneAndSaysWhatWouldDo) {
    const std::string long_path = "unix:/" + std::string(107, 'x');
    for (const std::string& text :
         {std::string(), std::string("7"), std::string("localhost:80"), std::string("127.0.0.1"),
          std::string("127.0.0.1:"), std::string("127.0.0.1:65536"), std::string("127.0.0.1:-1"),
          std::string("127.0.0.1:80x"), std::string("[::1]"), std::string("[::1:7"),
          std::string("[127.0.0.1]:7"), std::string("unix:"), std::string("tcp:7"), long_path}) {
        try {
            parse_address(text);
            ADD_FAILURE() << "'" << text << "' was taken";
        } catch (const std::invalid_argument& error) {
            const std::string message = error.what();
            EXPECT_NE(message.find("'" + text + "'"), std::string::npos) << message;
            EXPECT_NE(message.find("would do"), std::string::npos) << message;
        }
    }
}

TEST(Address, TakesTheLongestUnixPath) {
    const std::string text = "unix:/" + std::string(106, 'x');
    EXPECT_EQ(format_address(parse_address(text)), text);
}

class StaleSocket : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "loopbench-XXXXXX";
        directory_ = mkdtemp(pattern.data());
        path_ = directory_ + "/s";
        address_ = parse_address("unix:" + path_);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    int bound_socket() {
        const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(bind(descriptor, address_.data(), address_.length), 0);
        return descriptor;
    }

    std::string directory_;
    std::string path_;
    Address address_;
};

TEST_F(StaleSocket, IsRemovedWhenNobodyListens) {
    close(bound_socket());
    ASSERT_TRUE(std::filesystem::exists(path_));
    remove_stale_socket(address_);
    EXPECT_FALSE(std::filesystem::exists(path_));
    remove_stale_socket(address_);  // nothing there: nothing to do
}

TEST_F(StaleSocket, IsInUseWhenSomebodyListens) {
    const int listener = bound_socket();
    ASSERT_EQ(listen(listener, 1), 0);
    try {
        remove_stale_socket(address_);
        ADD_FAILURE() << "a live socket was removed";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), EADDRINUSE);
    }
    EXPECT_TRUE(std::filesystem::exists(path_));
    close(listener);
}

TEST_F(StaleSocket, IsLeftAloneWhenItIsAnotherKindOfFile) {
    std::ofstream(path_) << "precious";
    try {
        remove_stale_socket(address_);
        ADD_FAILURE() << "a file was removed";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), ENOTSOCK);
    }
    EXPECT_TRUE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace loopbench
