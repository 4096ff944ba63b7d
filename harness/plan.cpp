#include "harness/plan.hpp"

#include <algorithm>

#include "harness/random.hpp"

namespace loopbench {

std::chrono::nanoseconds usual_slice(Placement placement) {
    return std::chrono::milliseconds(placement == Placement::lockstep ? 2 : 30);
}

std::uint64_t least_operations_per_connection(Placement placement) {
    return placement == Placement::lockstep ? 2 : 20;
}

int usual_slices(std::chrono::nanoseconds slice) {
    constexpr std::chrono::nanoseconds of_an_arm = std::chrono::milliseconds(160);
    return static_cast<int>(std::clamp<std::int64_t>(of_an_arm / slice, 8, 80));
}

Shape fit_shape(std::chrono::nanoseconds budget, const BlockCost& cost, const ShapeWish& wish) {
    constexpr std::int64_t most_blocks = 1000;
    const auto fitting_blocks = [&](int slices) {
        const auto block = std::max<std::int64_t>(1, (cost.fixed + slices * cost.slice).count());
        return static_cast<int>(std::clamp<std::int64_t>(budget.count() / block, 0, most_blocks));
    };
    // The rehearsal may have been cheaper than the blocks will be: two are in reserve.
    constexpr int reserve = 2;
    const int needed = wish.blocks.value_or(wish.least_blocks + reserve);
    Shape shape;
    shape.slices = wish.slices.value_or(wish.usual_slices);
    if (!wish.slices) {
        while (shape.slices > 1 && fitting_blocks(shape.slices) < needed) --shape.slices;
    }
    shape.blocks = wish.blocks.value_or(std::max(1, fitting_blocks(shape.slices)));
    return shape;
}

std::vector<int> planned_looks(int least, int most) {
    std::vector<int> looks;
    for (int look = least; look < most; look += std::max(2, look / 2)) looks.push_back(look);
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
