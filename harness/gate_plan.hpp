#pragma once

#include <deque>
#include <string>
#include <vector>

#include "harness/campaign.hpp"
#include "harness/gate_rule.hpp"
#include "harness/matrix.hpp"

namespace loopbench {

/// The pairs that a gate or a baseline measures, one loop in one case each, beside its reference,
/// and the cells that are judged of them.
struct GatePlan {
    std::vector<CasePlan> pairs;
    std::vector<JudgedCell> cells;                  ///< those of a pair stand together
    std::vector<std::vector<std::size_t>> of_pair;  ///< which cells are a pair's, by its index
    std::vector<std::string> metrics;               ///< of `--metrics`; empty: the usual ones
};

/// The metrics that a gate judges of a case unless others are wanted: processor time, system calls,
/// and of sockets the throughput, or at a given rate the median latency.
std::vector<std::string> gated_metrics(const std::vector<std::string>& wanted, const CasePlan& plan,
                                       Placement placement);

/// Finds the reference of a loop in a case.
class ReferenceFinder {
  public:
    virtual ~ReferenceFinder() = default;
    /// Ready to be measured beside `loop`, under an id of its own. Throws UsageError.
    virtual ReadyArm find(const ReadyArm& loop, const CaseWish& wish) = 0;
};

/// The plan of the command line: `--loops` (epoll) times `--workloads` (echo) times their
/// parameters. Throws UsageError.
GatePlan plan_gate(const CommandLine& line, const Catalogue& catalogue, const Settings& settings,
                   ArmDirectory& arms, ReferenceFinder& references, const StopSignals& signals);

/// The cells of a pair, for a rule to fill in.
std::vector<JudgedCell*> cells_of(GatePlan& plan, std::size_t pair);

/// The workload's normaliser, frozen, which a baseline's ratios are to.
class NormaliserFinder : public ReferenceFinder {
  public:
    NormaliserFinder(const Catalogue& catalogue, ArmDirectory& arms)
        : catalogue_(catalogue), arms_(arms) {}
    ReadyArm find(const ReadyArm& loop, const CaseWish& wish) override;

  private:
    const Catalogue& catalogue_;
    ArmDirectory& arms_;
};

/// Measures every pair of the plan over its normaliser as long as a sitting takes, and fills the
/// cells' log-ratios in. False when the user interrupted.
bool measure_sitting(GatePlan& plan, Campaign& campaign, const Settings& settings);

}  // namespace loopbench
