#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace loopbench {

/// Blocks that any 95% interval needs: of 6 signs, all alike, the chance is 2/64.
inline constexpr int blocks_for_an_interval = 6;
/// Slices of an arm in a block when the budget allows.
inline constexpr int usual_slices = 8;

/// What a block costs, found out with the first one.
struct BlockCost {
    std::chrono::nanoseconds fixed;  ///< starting, connecting and warming up, all arms together
    std::chrono::nanoseconds slice;  ///< one slice of every arm, with what belongs to it
};

/// How many blocks of how many slices an arm.
struct Shape {
    int blocks = 0;
    int slices = 0;  ///< of every arm in a block, at least 1
    bool operator==(const Shape&) const = default;
};

/// The shape that a budget holds: blocks of `usual_slices` when `blocks_for_an_interval` of them
/// fit with some reserve; otherwise shorter blocks, down to one slice; otherwise as many blocks as
/// fit, at least one. A count of blocks or slices given by the user is kept.
Shape fit_shape(std::chrono::nanoseconds budget, const BlockCost& cost,
                std::optional<int> wanted_blocks, std::optional<int> wanted_slices);

/// The block counts at which the precision is looked at, ascending, `most` last: looking after
/// every block would stop at the luckiest one.
std::vector<int> planned_looks(int most);

/// What is drawn at random for one block. Arms are numbered from 0.
struct BlockPlan {
    std::vector<std::size_t> start_order;  ///< the arms in the order in which they start
    std::vector<std::size_t> padding;      ///< bytes of unused environment, by arm
    std::vector<std::size_t> slice_order;  ///< which arm runs, slice after slice
    std::uint64_t seed = 0;                ///< for the workload's own random choices, of all arms
    bool operator==(const BlockPlan&) const = default;
};

/// The plan of block number `block` of a placement: a function of its arguments alone. Slices come
/// in rounds in which every arm runs once, each round in a new order.
BlockPlan plan_block(std::uint64_t seed, const std::string& placement, int block, std::size_t arms,
                     int slices);

}  // namespace loopbench
