#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/catalogue.hpp"
#include "harness/cli.hpp"
#include "harness/settings.hpp"
#include "harness/signals.hpp"

namespace loopbench {

/// The words of a list with commas between. Throws UsageError, which names `flag`, for an empty
/// word or one that comes twice.
std::vector<std::string> split_list(std::string_view flag, const std::string& text);

/// The workloads of `--workloads`.
std::vector<WorkloadInfo> wanted_workloads(const CommandLine& line);

/// One workload with its parameters, of several.
struct CaseWish {
    WorkloadInfo workload;
    nlohmann::json params;
};

/// Every combination of the parameters' values, which may be lists with commas between, for each
/// workload. A parameter is taken by those of the workloads that have it; one that none has is a
/// UsageError.
std::vector<CaseWish> expand_cases(const std::vector<WorkloadInfo>& workloads,
                                   const std::map<std::string, std::string>& given);

/// Where a case is measured: where `--placement` says, or in lockstep, or with a rate in split
/// placement. Throws UsageError.
std::vector<Placement> wanted_placements(const CommandLine& line, const CaseWish& wish,
                                         const Processors& processors);

/// The arms of `--loops`. Throws UsageError for one that does not exist.
std::vector<ArmSpec> wanted_loops(const CommandLine& line, const Catalogue& catalogue);

/// Describes each arm once, however many cases it takes part in.
class ArmDirectory {
  public:
    /// The arguments live longer than the directory.
    ArmDirectory(const Catalogue& catalogue, const Settings& settings, const StopSignals& signals)
        : catalogue_(catalogue), settings_(settings), signals_(signals) {}

    /// Errors are those of `describe_arm`.
    const ReadyArm& get(const ArmSpec& spec, std::string_view flag);

  private:
    const Catalogue& catalogue_;
    const Settings& settings_;
    const StopSignals& signals_;
    std::map<std::string, ReadyArm> arms_;
};

/// The plan of a case: `loops` beside `reference`, which comes first. A loop that does not offer
/// the workload is left out and listed in `not_offered`. Throws UsageError when the reference does
/// not offer it, or none of the loops does.
CasePlan plan_case(const CaseWish& wish, const std::vector<ArmSpec>& loops,
                   const ArmSpec& reference, ArmDirectory& arms);

}  // namespace loopbench
