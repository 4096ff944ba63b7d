#include "harness/claims/own_claims.hpp"

namespace loopbench {

const std::vector<std::string>& own_loops() {
    static const std::vector<std::string> loops{"epoll", "uring"};
    return loops;
}

std::map<std::string, std::string> own_traits(const Experiment& experiment,
                                              const std::string& arm) {
    std::map<std::string, std::string> traits = experiment.params;
    traits["workload"] = experiment.workload;
    traits["arm"] = arm;
    return traits;
}

bool is_expected(const Experiment& experiment, const std::string& arm,
                 const ClaimEvidence& evidence) {
    return evidence.has(experiment, arm) || !evidence.why_skipped(experiment).empty();
}

}  // namespace loopbench
