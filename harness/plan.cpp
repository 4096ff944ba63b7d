#include "harness/plan.hpp"

#include <algorithm>

#include "harness/random.hpp"

namespace loopbench {

Shape fit_shape(std::chrono::nanoseconds budget, const BlockCost& cost,
                std::optional<int> wanted_blocks, std::optional<int> wanted_slices) {
    constexpr std::int64_t most_blocks = 1000;
    const auto fitting_blocks = [&](int slices) {
        const auto block = std::max<std::int64_t>(1, (cost.fixed + slices * cost.slice).count());
        return static_cast<int>(std::clamp<std::int64_t>(budget.count() / block, 0, most_blocks));
    };
    // The rehearsal may have been cheaper than the blocks will be: two are in reserve.
    constexpr int reserve = 2;
    const int needed = wanted_blocks.value_or(blocks_for_an_interval + reserve);
    Shape shape;
    shape.slices = wanted_slices.value_or(usual_slices);
    if (!wanted_slices) {
        while (shape.slices > 1 && fitting_blocks(shape.slices) < needed) --shape.slices;
    }
    shape.blocks = wanted_blocks.value_or(std::max(1, fitting_blocks(shape.slices)));
    return shape;
}

std::vector<int> planned_looks(int most) {
    std::vector<int> looks;
    for (int look = blocks_for_an_interval; look < most; look += std::max(2, look / 2)) {
        looks.push_back(look);
    }
    looks.push_back(most);
    return looks;
}

BlockPlan plan_block(std::uint64_t seed, const std::string& placement, int block, std::size_t arms,
                     int slices) {
    constexpr std::uint64_t most_padding = 4096;
    Random mixer(seed);
    std::uint64_t stream = mixer.next() + static_cast<std::uint64_t>(block);
    for (const char letter : placement) stream = stream * 31 + static_cast<unsigned char>(letter);
    Random random(stream);
    BlockPlan plan;
    plan.seed = random.next() >> 12;  // exact in a JSON number, wherever it is read
    plan.start_order = random.permutation(arms);
    for (std::size_t arm = 0; arm < arms; ++arm) plan.padding.push_back(random.below(most_padding));
    for (int round = 0; round < slices; ++round) {
        const auto order = random.permutation(arms);
        plan.slice_order.insert(plan.slice_order.end(), order.begin(), order.end());
    }
    return plan;
}

}  // namespace loopbench
