#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/crew.hpp"
#include "harness/disturbance.hpp"
#include "harness/rehearsal.hpp"
#include "harness/stopping.hpp"

namespace loopbench {

/// What was measured in one placement.
struct PlacementSamples {
    Placement placement = Placement::lockstep;
    Shape shape;  ///< as planned; it may have ended with fewer, or shorter blocks
    std::chrono::nanoseconds slice{0};  ///< how long a slice was meant to be
    double block_seconds = 0;           ///< that a block took, on average
    std::vector<ArmSamples> arms;       ///< in the order of the plan; their blocks are the same
    std::string stopped;                ///< why it ended: precision reached, budget, …

    /// Blocks in which every arm that did not break off has all its slices.
    int whole_blocks() const;
    /// The fewest slices that an arm was to have in a block: blocks are shortened when the budget
    /// runs out.
    std::size_t least_slices() const;
};

/// A case that was measured, or begun.
struct MeasuredCase {
    CasePlan plan;
    std::vector<PlacementSamples> placements;
};

/// Measures one case: its arms side by side, in each of its placements, within the budget.
///
/// After the rehearsal come blocks of fresh processes until the rule is content, at planned numbers
/// of blocks, or the budget is used up. An arm that breaks off is left out from then on; measuring
/// ends early when none is left, or of several only one.
class Measurement {
  public:
    /// The arguments live longer than the measurement.
    Measurement(const CasePlan& plan, const Settings& settings, const StopSignals& signals,
                StoppingRule& rule, MeasureObserver& observer);

    /// Throws Interrupted; what was measured until then stays in `samples`.
    void run();

    const std::vector<PlacementSamples>& samples() const noexcept { return samples_; }
    bool any_arm_failed() const { return crew_.any_failed(); }

  private:
    using Clock = std::chrono::steady_clock;
    using Stations = std::vector<std::unique_ptr<Station>>;

    void run_placements();
    void run_placement(PlacementSamples& samples, Clock::time_point deadline);
    void run_block(PlacementSamples& samples, int block, int slices);
    void start_block(PlacementSamples& samples, Stations& stations, const BlockPlan& plan);
    void count_syscalls(PlacementSamples& samples, std::size_t arm, const BlockPlan& plan);
    SliceSample take_slice(Stations& stations, std::size_t arm);
    int slices_that_fit(const PlacementSamples& samples, int done, Clock::time_point started,
                        Clock::time_point deadline) const;
    bool out_of_time(int done, Clock::time_point started, Clock::time_point deadline) const;
    void report_progress(const PlacementSamples& samples, int block) const;
    void note_failures(PlacementSamples& samples) const;

    const CasePlan& plan_;
    const Settings& settings_;
    StoppingRule& rule_;
    MeasureObserver& observer_;
    Crew crew_;
    Rehearsal rehearsal_;
    Clock::time_point begin_;
    std::vector<Work> work_;  ///< a slice of the placement that is measured, by arm
    std::optional<PairDisturbanceReader> watch_;  ///< of its processors
    std::vector<PlacementSamples> samples_;
};

}  // namespace loopbench
