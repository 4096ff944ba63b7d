#include "simulator.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace loopbench {
namespace {

/// The slowness of the machine at each of `count` slices, one after the other.
std::vector<double> machine_trace(const MachineModel& model, std::size_t count,
                                  std::mt19937_64& random) {
    std::vector<double> trace(count);
    if (model.kind == MachineModel::Kind::drifting) {
        std::normal_distribution<double> normal;
        const double innovation = model.sd * std::sqrt(1 - model.correlation * model.correlation);
        double now = model.sd * normal(random);
        for (double& slowness : trace) {
            slowness = now;
            now = model.correlation * now + innovation * normal(random);
        }
    } else {
        // Two speeds ±sd that change with chance (1 - correlation) / 2.
        std::uniform_real_distribution<double> uniform;
        double now = uniform(random) < 0.5 ? model.sd : -model.sd;
        for (double& slowness : trace) {
            slowness = now;
            if (uniform(random) < (1 - model.correlation) / 2) now = -now;
        }
    }
    return trace;
}

std::size_t slices_of_an_arm(const Scene& scene) {
    return static_cast<std::size_t>(scene.blocks) * static_cast<std::size_t>(scene.slices);
}

/// What an arm's slices cost apart from the machine, block after block.
std::vector<double> own_costs(const Scene& scene, bool is_arm, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    std::exponential_distribution<double> exponential;
    std::uniform_real_distribution<double> uniform;
    std::vector<double> costs;
    costs.reserve(slices_of_an_arm(scene));
    for (int block = 0; block < scene.blocks; ++block) {
        const double process = scene.process_sd * normal(random) + (is_arm ? scene.effect : 0);
        for (int slice = 0; slice < scene.slices; ++slice) {
            double cost = process + scene.slice_sd * (exponential(random) - 1);
            if (is_arm && scene.pause_chance > 0 && uniform(random) < scene.pause_chance) {
                cost += scene.pause;
            }
            costs.push_back(cost);
        }
    }
    return costs;
}

/// A slice lasts a given time and gets done what it can.
SimulatedSlice slice_of_cost(double log_cost) {
    constexpr double slice_ns = 15e6;
    constexpr double base_ns = 3600;
    return {slice_ns, slice_ns / (base_ns * std::exp(log_cost))};
}

/// The next slice of the arm or the reference, at this time of the machine.
void measure(const Session& session, bool is_arm, std::size_t time, Recording& recording) {
    auto& slices = is_arm ? recording.arm.slices : recording.reference.slices;
    const double own = (is_arm ? session.arm : session.reference)[slices.size()];
    const double sensitivity = is_arm ? session.scene.machine_sensitivity : 1;
    slices.push_back(slice_of_cost(own + sensitivity * session.machine[time]));
}

}  // namespace

std::vector<double> SimulatedArm::costs() const {
    std::vector<double> result;
    result.reserve(slices.size());
    for (const auto& slice : slices) result.push_back(slice.amount / slice.operations);
    return result;
}

std::vector<BlockSum> SimulatedArm::blocks(int slices_a_block) const {
    std::vector<BlockSum> result;
    for (std::size_t i = 0; i < slices.size(); ++i) {
        if (i % static_cast<std::size_t>(slices_a_block) == 0) result.push_back({});
        result.back().amount += slices[i].amount;
        result.back().operations += slices[i].operations;
    }
    return result;
}

Session draw_session(const Scene& scene, std::mt19937_64& random) {
    return {scene, machine_trace(scene.machine, 2 * slices_of_an_arm(scene), random),
            own_costs(scene, true, random), own_costs(scene, false, random)};
}

Recording interleaved(const Session& session, std::mt19937_64& random) {
    std::bernoulli_distribution coin;
    Recording recording;
    for (std::size_t time = 0; time + 1 < session.machine.size(); time += 2) {
        const bool arm_first = coin(random);
        measure(session, arm_first, time, recording);
        measure(session, !arm_first, time + 1, recording);
    }
    return recording;
}

Recording one_by_one(const Session& session) {
    Recording recording;
    for (std::size_t time = 0; time < session.machine.size(); ++time) {
        measure(session, time < session.arm.size(), time, recording);
    }
    return recording;
}

ComparedBlocks compared(const Recording& recording, int slices_a_block) {
    ComparedBlocks blocks{{}, recording.reference.blocks(slices_a_block)};
    const std::vector<double> arm = recording.arm.costs();
    const std::vector<double> reference = recording.reference.costs();
    const auto a_block = static_cast<std::size_t>(slices_a_block);
    for (std::size_t block = 0; block < blocks.reference.size(); ++block) {
        std::vector<double> ratios;
        for (std::size_t i = block * a_block; i < (block + 1) * a_block; ++i) {
            ratios.push_back(std::log(arm[i] / reference[i]));
        }
        const BlockSum& total = blocks.reference[block];
        blocks.arm.push_back({total.amount * std::exp(hodges_lehmann(ratios)), total.operations});
    }
    return blocks;
}

BlockRatios simulate_log_ratios(const Scene& scene, std::mt19937_64& random) {
    const ComparedBlocks blocks =
        compared(interleaved(draw_session(scene, random), random), scene.slices);
    return independent_log_ratios(blocks.arm, blocks.reference).value();
}

std::vector<double> rare_cost_gaps(const Recording& recording, int slices_a_block) {
    const ComparedBlocks blocks = compared(recording, slices_a_block);
    std::vector<double> gaps =
        log_ratios(recording.arm.blocks(slices_a_block), blocks.reference).value();
    const std::vector<double> by_slice = log_ratios(blocks.arm, blocks.reference).value();
    for (std::size_t block = 0; block < gaps.size(); ++block) gaps[block] -= by_slice[block];
    return gaps;
}

double mann_whitney_p_value(std::span<const double> a, std::span<const double> b) {
    std::vector<double> sorted(b.begin(), b.end());
    std::sort(sorted.begin(), sorted.end());
    double u = 0;
    for (const double value : a) {
        u += static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), value) -
                                 sorted.begin());
    }
    const auto m = static_cast<double>(a.size());
    const auto n = static_cast<double>(b.size());
    const double deviation = std::sqrt(m * n * (m + n + 1) / 12);
    const double z = std::max(0.0, std::abs(u - m * n / 2) - 0.5) / deviation;
    return std::erfc(z / std::numbers::sqrt2);
}

}  // namespace loopbench
