#pragma once

#include <string>
#include <vector>

#include "harness/settings.hpp"

namespace loopbench {

struct PlacementSamples;

/// Says how much of a case must be measured, and when it was enough.
class StoppingRule {
  public:
    virtual ~StoppingRule() = default;

    /// Blocks that its questions need at the least.
    virtual int least_blocks() const = 0;
    /// The numbers of blocks, ascending, after which it wants to be asked, when `most` are to be
    /// had: planned beforehand, since looking after every block would stop at the luckiest one.
    virtual std::vector<int> looks(int most) = 0;
    /// Why measuring may stop now, or empty. Asked at each look once.
    virtual std::string look(const PlacementSamples& samples) = 0;
};

/// Stops when the half-width of the main figure's interval is under `--precision`: of its ratios to
/// the reference where there is one.
class PrecisionRule : public StoppingRule {
  public:
    /// `plan` and `settings` live longer than the rule. `cells`: verdicts that the table will hold,
    /// which decides how many blocks they need; 0 when none will be given.
    PrecisionRule(const CasePlan& plan, const Settings& settings, std::size_t cells);

    int least_blocks() const override { return least_blocks_; }
    std::vector<int> looks(int most) override;
    std::string look(const PlacementSamples& samples) override;

  private:
    const CasePlan& plan_;
    const Settings& settings_;
    int least_blocks_;
};

}  // namespace loopbench
