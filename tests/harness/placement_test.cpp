#include "harness/placement.hpp"

#include <gtest/gtest.h>

#include "harness/errors.hpp"

namespace loopbench {
namespace {

const Processors two{3, 2};
const Processors one{0, std::nullopt};

TEST(PlacementTest, TheLastProcessorsAreChosen) {
    const Processors chosen = choose_processors("", {0, 1, 5, 7});
    EXPECT_EQ(chosen.sut, 7);
    EXPECT_EQ(chosen.driver, 5);
    EXPECT_FALSE(choose_processors("", {4}).driver);
}

TEST(PlacementTest, TheUserMayChoose) {
    const Processors chosen = choose_processors("1,0", {0, 1});
    EXPECT_EQ(chosen.sut, 1);
    EXPECT_EQ(chosen.driver, 0);
    EXPECT_FALSE(choose_processors("1", {0, 1}).driver);
}

TEST(PlacementTest, ProcessorsMustExist) {
    for (const char* cpus : {"2", "0,2", "0,0", "0,", ",1", "a", "-1", "0,1,0", "0 1"}) {
        EXPECT_THROW(choose_processors(cpus, {0, 1}), UsageError) << cpus;
    }
}

TEST(PlacementTest, SocketsAreMeasuredInBoth) {
    EXPECT_EQ(choose_placements("", true, two),
              (std::vector<Placement>{Placement::lockstep, Placement::split}));
    EXPECT_EQ(choose_placements("split", true, two), std::vector<Placement>{Placement::split});
    EXPECT_EQ(choose_placements("lockstep", true, two),
              std::vector<Placement>{Placement::lockstep});
}

TEST(PlacementTest, OneProcessorMeansLockstep) {
    EXPECT_EQ(choose_placements("", true, one), std::vector<Placement>{Placement::lockstep});
    EXPECT_THROW(choose_placements("split", true, one), UsageError);
}

TEST(PlacementTest, WorkWithinTheProcessHasNoPlacement) {
    EXPECT_EQ(choose_placements("", false, two), std::vector<Placement>{Placement::in_process});
    EXPECT_THROW(choose_placements("lockstep", false, two), UsageError);
    EXPECT_THROW(choose_placements("locksteb", true, two), UsageError);
}

}  // namespace
}  // namespace loopbench
