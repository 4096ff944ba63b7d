#include "harness/stopping.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/compute.hpp"
#include "harness/plan.hpp"
#include "results/verdict.hpp"

namespace loopbench {

PrecisionRule::PrecisionRule(const CasePlan& plan, const Settings& settings, std::size_t cells)
    : plan_(plan),
      settings_(settings),
      least_blocks_(cells == 0 ? blocks_for_an_interval
                               : std::max(blocks_for_an_interval, blocks_for_verdicts(cells))) {}

std::vector<int> PrecisionRule::looks(int most) {
    return settings_.precision > 0 ? planned_looks(least_blocks_, most) : std::vector<int>{};
}

std::string PrecisionRule::look(const PlacementSamples& samples) {
    const auto precision = reached_precision(plan_, samples);
    if (!precision || *precision > settings_.precision) return "";
    return fmt::format("the precision of {:.3g}% was reached", settings_.precision * 100);
}

}  // namespace loopbench
