#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/measure.hpp"
#include "harness/stopping.hpp"
#include "results/gate.hpp"
#include "results/margin.hpp"
#include "results/result.hpp"

namespace loopbench {

/// Why a cell cannot be judged in which a build costs now and then what a typical slice does not
/// show.
inline constexpr const char* rare_costs =
    "rare costs: the totals tell another ratio than the slices do";

/// One cell of a gate: a metric of a case on a loop, with what the looks have told of it.
struct JudgedCell {
    std::string workload;
    nlohmann::json params;
    Placement placement = Placement::lockstep;
    std::string metric;
    std::string arm;
    std::string reference;
    Margin margin;
    double level = 0;  ///< the reference's median and offset, by which the margin becomes a ratio
    std::optional<GateCell> evidence;  ///< nothing before the first look
    std::vector<double> log_ratios;    ///< of the last look, above 0 is worse
    std::vector<double> shown;         ///< likewise, for people (WorseRatios); may be empty
    bool merged = false;               ///< adjacent blocks were, in the last look
    std::string cannot;                ///< why nothing can be decided, or empty
    bool wanted = true;  ///< false: of the usual metrics, and left out where it cannot be measured
    Decision decision = Decision::inconclusive;
    bool improved = false;  ///< beside PASS: the 95% interval lies wholly on the better side
};

/// Looks at the cells of one measurement as planned, and stops when all of them are settled.
class GateRule : public StoppingRule {
  public:
    /// `cells` are those of this measurement, of `all` cells in the gate. They live longer than the
    /// rule, which fills them in.
    GateRule(const CasePlan& plan, std::vector<JudgedCell*> cells, std::size_t all);

    int least_blocks() const override { return least_blocks_; }
    std::vector<int> looks(int most) override;
    std::string look(const PlacementSamples& samples) override;
    /// The last look, when the budget ended the measurement before the last that was planned: it
    /// has all the weight that is left.
    void conclude(const PlacementSamples& samples);

    const Looks& planned() const noexcept { return looks_; }

  private:
    void look_with(const PlacementSamples& samples, double weight);

    const CasePlan& plan_;
    std::vector<JudgedCell*> cells_;
    std::size_t all_;
    int least_blocks_;
    Looks looks_;
    std::size_t looked_ = 0;  ///< how many of the looks there were
    int last_blocks_ = 0;
};

/// Holm over all cells: fills in their decisions. A cell that cannot be decided is inconclusive,
/// and is not counted among the others.
void decide_cells(std::vector<JudgedCell>& cells);

/// The estimate of a cell's ratio from the blocks of its last look, in the metric's own direction.
struct CellRatio {
    double ratio = 1;
    std::optional<Interval> ci95;
};
std::optional<CellRatio> ratio_of(const JudgedCell& cell);

}  // namespace loopbench
