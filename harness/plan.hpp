#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/placement.hpp"

namespace loopbench {

/// Blocks that any 95% interval needs: of 6 signs, all alike, the chance is 2/64.
inline constexpr int blocks_for_an_interval = 6;

/// How long a slice of a placement is when nobody says otherwise.
///
/// In lockstep 2 ms: the speed of a shared machine changes within milliseconds, and what two arms
/// meet is alike only as far as their slices lie close together. (A/A on a virtual machine, blocks
/// of 160 ms an arm: their ratio scatters by 4% with slices of 30 ms, by 1.8% with slices of 5, by
/// 1.3% with slices of 2, and no less with slices of 1.) In split placement 30 ms, since waking
/// each other up is what takes time there; so in process, where a request and its answer are part
/// of each slice.
std::chrono::nanoseconds usual_slice(Placement placement);

/// Messages that every active connection carries in a slice, at the least: in lockstep, where all
/// of them take part in each round, a slice of few rounds is as good as any.
std::uint64_t least_operations_per_connection(Placement placement);

/// Slices of an arm in a block when the budget allows: 160 ms of them, at least 8 and at most 80.
int usual_slices(std::chrono::nanoseconds slice);

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

/// What is wanted of a shape.
struct ShapeWish {
    int usual_slices = 8;
    int least_blocks = blocks_for_an_interval;  ///< that the questions need
    std::optional<int> blocks = {};             ///< as the user says
    std::optional<int> slices = {};             ///< likewise
};

/// The shape that a budget holds: blocks of the usual slices when the least number of blocks fits
/// with some reserve; otherwise shorter blocks, down to one slice; otherwise as many blocks as fit,
/// at least one. A count of blocks or slices given by the user is kept.
Shape fit_shape(std::chrono::nanoseconds budget, const BlockCost& cost, const ShapeWish& wish);

/// The block counts at which the precision is looked at, ascending, from `least` on, `most` last.
std::vector<int> planned_looks(int least, int most);

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
