#include "harness/line_channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <thread>

namespace loopbench {
namespace {

class LineChannel : public testing::Test {
  protected:
    void SetUp() override {
        signal(SIGPIPE, SIG_IGN);
        ASSERT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    }
    void TearDown() override {
        close_end(0);
        close_end(1);
    }
    void close_end(int which) {
        if (ends_[which] >= 0) close(ends_[which]);
        ends_[which] = -1;
    }
    void write_raw(const std::string& bytes) {
        ASSERT_EQ(write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
    void make_non_blocking(int which) { fcntl(ends_[which], F_SETFL, O_NONBLOCK); }

    int ends_[2] = {-1, -1};
};

TEST_F(LineChannel, CutsPiecesIntoLines) {
    LineReader reader(ends_[0]);
    write_raw("one\ntwo\n\nthr");
    EXPECT_EQ(reader.read_line(), "one");
    EXPECT_EQ(reader.read_line(), "two");
    EXPECT_EQ(reader.read_line(), "");
    EXPECT_EQ(reader.next_line(), std::nullopt);
    EXPECT_EQ(reader.unfinished(), "thr");
    write_raw("ee\nfour");
    EXPECT_EQ(reader.read_line(), "three");
    close_end(1);
    EXPECT_EQ(reader.read_line(), std::nullopt);
    EXPECT_EQ(reader.unfinished(), "four");
}

TEST_F(LineChannel, FeedsFromANonBlockingDescriptor) {
    make_non_blocking(0);
    LineReader reader(ends_[0]);
    EXPECT_EQ(reader.feed(), LineReader::Fed::would_block);
    write_raw("a\nb\n");
    EXPECT_EQ(reader.feed(), LineReader::Fed::data);
    EXPECT_EQ(reader.next_line(), "a");
    EXPECT_EQ(reader.next_line(), "b");
    EXPECT_EQ(reader.next_line(), std::nullopt);
    EXPECT_EQ(reader.feed(), LineReader::Fed::would_block);
    close_end(1);
    EXPECT_EQ(reader.feed(), LineReader::Fed::end);
}

TEST_F(LineChannel, ALineOfTheGreatestLengthPassesAndALongerOneDoesNot) {
    LineReader reader(ends_[0], 4);
    write_raw("1234\n12345\n");
    EXPECT_EQ(reader.read_line(), "1234");
    EXPECT_THROW(reader.read_line(), std::length_error);
}

TEST_F(LineChannel, AnUnfinishedLineIsBoundedToo) {
    LineReader reader(ends_[0], 4);
    write_raw("12345");
    EXPECT_THROW(reader.read_line(), std::length_error);
}

TEST_F(LineChannel, WritesALineThatIsLongerThanThePipe) {
    const std::string line(1 << 20, 'x');
    for (const bool non_blocking : {false, true}) {
        if (non_blocking) make_non_blocking(1);
        LineReader reader(ends_[0]);
        bool written = false;
        std::thread writer([&] { written = write_line(ends_[1], line); });
        EXPECT_EQ(reader.read_line(), line);
        writer.join();
        EXPECT_TRUE(written);
    }
}

TEST_F(LineChannel, SaysWhenNobodyReads) {
    close_end(0);
    EXPECT_FALSE(write_line(ends_[1], "hello"));
}

TEST_F(LineChannel, ReportsABrokenDescriptor) {
    LineReader reader(-1);
    EXPECT_THROW(reader.feed(), std::system_error);
    EXPECT_THROW(write_line(-1, "hello"), std::system_error);
}

}  // namespace
}  // namespace loopbench
