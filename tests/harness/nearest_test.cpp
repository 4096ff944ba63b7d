#include "harness/nearest.hpp"

#include <gtest/gtest.h>

namespace loopbench {
namespace {

const std::vector<std::string> loops{"epoll", "poll", "select", "uv"};

TEST(NearestTest, FindsWhatWasMeant) {
    EXPECT_EQ(nearest_name("epol", loops), "epoll");
    EXPECT_EQ(nearest_name("epolll", loops), "epoll");
    EXPECT_EQ(nearest_name("opll", loops), "poll");
    EXPECT_EQ(nearest_name("slect", loops), "select");
    EXPECT_EQ(nearest_name("vu", loops), "uv") << "a swap is one mistake";
}

TEST(NearestTest, AnotherWordIsNoMisspelling) {
    EXPECT_EQ(nearest_name("twisted", loops), "");
    EXPECT_EQ(nearest_name("xy", loops), "") << "every word of two letters is two edits away";
}

TEST(NearestTest, TheSuggestionListsAllWhenNothingIsNear) {
    EXPECT_EQ(suggestion("epol", loops), "did you mean epoll?");
    EXPECT_EQ(suggestion("twisted", loops), "one of epoll, poll, select, uv");
    EXPECT_EQ(suggestion("twisted", {"uv"}), "there is only uv");
    EXPECT_EQ(suggestion("twisted", {}), "there is none");
}

}  // namespace
}  // namespace loopbench
