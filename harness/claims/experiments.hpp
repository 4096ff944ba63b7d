#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/claims/claim.hpp"
#include "harness/matrix.hpp"
#include "harness/settings.hpp"

namespace loopbench {

/// An experiment that can be made here.
struct PlannedExperiment {
    std::string key;
    CasePlan plan;
    Experiment experiment;
};

/// The experiments of several claims, each once.
struct ExperimentPlans {
    std::vector<PlannedExperiment> planned;
    std::map<std::string, std::string> skipped;  ///< by key, and why
};

/// Plans what `claims` need. Arms that are not to be had here are left out, and experiments without
/// a reference, without arms or without the processors that they need are skipped.
ExperimentPlans plan_experiments(const std::vector<const Claim*>& claims, Extent extent,
                                 ArmDirectory& arms, const Settings& settings);

}  // namespace loopbench
