#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/plan.hpp"
#include "harness/sample.hpp"
#include "harness/scratch_directory.hpp"
#include "harness/settings.hpp"
#include "harness/station.hpp"

namespace loopbench {

/// What was measured in one placement.
struct PlacementSamples {
    Placement placement = Placement::lockstep;
    Shape shape;  ///< as planned; it may have ended with fewer, or shorter blocks
    std::chrono::nanoseconds slice{0};  ///< how long a slice was meant to be
    std::vector<ArmSamples> arms;       ///< in the order of the plan
    std::string stopped;                ///< why it ended: precision reached, budget, …

    /// Blocks in which every arm has all its slices.
    int whole_blocks() const;
};

/// Told of everything as it happens.
class MeasureObserver {
  public:
    virtual ~MeasureObserver() = default;
    virtual void slice_taken(Placement placement, const std::string& arm,
                             const SliceSample& sample) = 0;
    /// `fraction` of the case is done, as far as one can tell; `doing` says what comes now.
    virtual void progress(double fraction, const std::string& doing) = 0;
};

/// Measures one case: its arms side by side, in each of its placements, within the budget.
///
/// First each arm is rehearsed in a process of its own, which finds out how much work fills a slice
/// and what a block costs, and counts system calls; another process counts allocations. Then come
/// blocks of fresh processes until the precision is reached, at planned numbers of blocks, or the
/// budget is used up.
class Measurement {
  public:
    /// The arguments live longer than the measurement.
    Measurement(const CasePlan& plan, const Settings& settings, const StopSignals& signals,
                MeasureObserver& observer);

    /// Throws ProcessError and Interrupted; what was measured until then stays in `samples`.
    void run();

    const std::vector<PlacementSamples>& samples() const noexcept { return samples_; }

  private:
    using Clock = std::chrono::steady_clock;

    template <class Count>
    std::optional<double> count_per_operation(Station& station, const Work& work,
                                              const SliceSample& sample, const Count& count) const;
    void rehearse(std::size_t arm, Placement placement);
    void calibrate(std::size_t arm, Station& station);
    void count_allocations(std::size_t arm, Placement placement);
    void run_placement(PlacementSamples& samples, Clock::time_point deadline);
    void run_block(PlacementSamples& samples, int block, int slices);
    int slices_that_fit(const PlacementSamples& samples, int done, Clock::time_point started,
                        Clock::time_point deadline) const;
    /// Waits for all arms but one, in vain for one that does not sleep by its nature.
    static void wait_until_asleep(const std::vector<std::unique_ptr<Station>>& stations,
                                  std::size_t but);
    SliceSample take_slice(std::vector<std::unique_ptr<Station>>& stations, std::size_t arm);
    bool should_stop(PlacementSamples& samples, int done, Clock::time_point started,
                     Clock::time_point deadline) const;
    StationOptions station_options(Placement placement, std::size_t arm, const BlockPlan& block);
    void report_progress(const PlacementSamples& samples, int block);

    const CasePlan& plan_;
    const Settings& settings_;
    const StopSignals& signals_;
    MeasureObserver& observer_;
    ScratchDirectory scratch_;
    int sockets_made_ = 0;
    Clock::time_point begin_;
    std::chrono::nanoseconds slice_;  ///< long enough for the slowest arm
    std::vector<Work> work_;          ///< a slice, by arm
    BlockCost cost_{};
    std::vector<ArmSamples> apart_;  ///< what was counted apart, by arm
    std::vector<PlacementSamples> samples_;
};

}  // namespace loopbench
