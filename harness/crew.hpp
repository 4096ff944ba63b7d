#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/errors.hpp"
#include "harness/plan.hpp"
#include "harness/sample.hpp"
#include "harness/scratch_directory.hpp"
#include "harness/settings.hpp"
#include "harness/station.hpp"

namespace loopbench {

/// Told of everything as it happens.
class MeasureObserver {
  public:
    virtual ~MeasureObserver() = default;
    virtual void slice_taken(Placement placement, const std::string& arm,
                             const SliceSample& sample) = 0;
    /// An arm broke off; the others go on, if any are left.
    virtual void arm_failed(const std::string& arm, const ProcessError& error) = 0;
    /// `fraction` of the case is done, as far as one can tell; `doing` says what comes now.
    virtual void progress(double fraction, const std::string& doing) = 0;
};

/// Too many arms broke off for anything to be measured: all, or of several all but one, or the
/// reference.
class OutOfArms : public std::runtime_error {
  public:
    OutOfArms() : std::runtime_error("no arms are left to measure") {}
};

/// The arms of a case: which of them still work, and how processes are started for them.
class Crew {
  public:
    /// The arguments live longer than the crew.
    Crew(const CasePlan& plan, const Settings& settings, const StopSignals& signals,
         MeasureObserver& observer);

    const CasePlan& plan() const noexcept { return plan_; }
    const Settings& settings() const noexcept { return settings_; }
    MeasureObserver& observer() const noexcept { return observer_; }
    std::size_t size() const noexcept { return failures_.size(); }

    /// Does `step` for an arm unless it has broken off before. A ProcessError of the step means
    /// that it breaks off now; false then. Throws OutOfArms.
    bool attempt(std::size_t arm, const std::function<void()>& step);
    /// How the arm broke off; empty while it works.
    const std::string& failure(std::size_t arm) const { return failures_.at(arm); }
    bool any_failed() const;

    /// How to start the arm in a block. Each gets an address of its own to listen on.
    StationOptions options(Placement placement, std::size_t arm, const BlockPlan& block);
    /// Starts it; errors are those of Station.
    std::unique_ptr<Station> start(std::size_t arm, const StationOptions& options) const;

  private:
    const CasePlan& plan_;
    const Settings& settings_;
    const StopSignals& signals_;
    MeasureObserver& observer_;
    ScratchDirectory scratch_;
    int sockets_made_ = 0;
    std::vector<std::string> failures_;
};

}  // namespace loopbench
