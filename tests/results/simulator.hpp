#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "results/statistics.hpp"

namespace loopbench {

// Measurements of two arms as they might have been, slice by slice. Everything is in natural
// logarithms of the cost of an operation, so that 0.01 is one percent.

/// How fast the machine is from slice to slice, the same for both arms.
struct MachineModel {
    enum class Kind { drifting, switching };
    Kind kind = Kind::drifting;
    double sd = 0.06;
    /// Of one slice with the next: of a first-order autoregressive series (drifting), or of which
    /// of two speeds it is (switching).
    double correlation = 0.97;
};

/// What a comparison is made of.
struct Scene {
    int blocks = 60;
    int slices = 8;     ///< of each arm in a block
    double effect = 0;  ///< of the arm over the reference
    MachineModel machine;
    double process_sd = 0.005;       ///< of one arm's process in one block: layout, hash seeds
    double slice_sd = 0.02;          ///< of what is left, exponentially distributed: skewed
    double machine_sensitivity = 1;  ///< of the arm, where that of the reference is 1
    double pause_chance = 0;         ///< of the arm in a slice
    double pause = 0;                ///< what it then costs
};

/// A slice: an amount of nanoseconds spent on a number of operations.
using SimulatedSlice = BlockSum;

struct SimulatedArm {
    std::vector<SimulatedSlice> slices;  ///< in the order of time, `Scene::slices` to a block
    std::vector<double> costs() const;   ///< of an operation, by slices
    std::vector<BlockSum> blocks(int slices_a_block) const;
};

struct Recording {
    SimulatedArm arm;
    SimulatedArm reference;
};

/// Blocks of two arms as they are compared: slice by slice. The reference has its totals, and the
/// arm what is to them as the Hodges–Lehmann estimate over the ratios of their slices, one of each
/// by turns.
struct ComparedBlocks {
    std::vector<BlockSum> arm;
    std::vector<BlockSum> reference;
};

ComparedBlocks compared(const Recording& recording, int slices_a_block);

/// A machine at its slices one after the other, and what an arm's slices cost apart from it: to be
/// measured in one way or another.
struct Session {
    Scene scene;
    std::vector<double> machine;
    std::vector<double> arm;
    std::vector<double> reference;
};

Session draw_session(const Scene& scene, std::mt19937_64& random);

/// In blocks of both arms, and in rounds of one slice of each, in random order.
Recording interleaved(const Session& session, std::mt19937_64& random);

/// All of the arm's slices, then all of the reference's.
Recording one_by_one(const Session& session);

/// ln(arm / reference) of the interleaved blocks, as a gate or a comparison takes them.
BlockRatios simulate_log_ratios(const Scene& scene, std::mt19937_64& random);

/// Block by block, ln of the ratio of totals less that of the slices: what `has_rare_costs` looks
/// at.
std::vector<double> rare_cost_gaps(const Recording& recording, int slices_a_block);

/// Two-sided p-value of the Mann–Whitney U-test with the normal approximation, continuity
/// corrected, for values without ties (Hollander, Wolfe, Chicken 4.1): what is often used to
/// compare two runs.
double mann_whitney_p_value(std::span<const double> a, std::span<const double> b);

}  // namespace loopbench
