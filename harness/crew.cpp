#include "harness/crew.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace loopbench {

Crew::Crew(const CasePlan& plan, const Settings& settings, const StopSignals& signals,
           MeasureObserver& observer)
    : plan_(plan),
      settings_(settings),
      signals_(signals),
      observer_(observer),
      failures_(plan.arms.size()) {}

bool Crew::attempt(std::size_t arm, const std::function<void()>& step) {
    if (!failures_[arm].empty()) return false;
    try {
        step();
        return true;
    } catch (const ProcessError& error) {
        failures_[arm] = fmt::format("{} {}", error.who(), error.what());
        observer_.arm_failed(plan_.arms[arm].spec.id, error);
    }
    const auto left = std::count(failures_.begin(), failures_.end(), "");
    // Without the reference there is no ratio to be had either.
    if (left == 0 || (left == 1 && failures_.size() > 1) ||
        (plan_.reference && !failures_[*plan_.reference].empty())) {
        throw OutOfArms();
    }
    return false;
}

bool Crew::any_failed() const {
    return std::any_of(failures_.begin(), failures_.end(),
                       [](const std::string& failure) { return !failure.empty(); });
}

StationOptions Crew::options(Placement placement, std::size_t arm, const BlockPlan& block) {
    StationOptions options;
    options.placement = placement;
    options.seed = block.seed;
    options.padding = block.padding.at(arm);
    if (!plan_.workload.sockets) return options;
    if (!settings_.listen.empty()) {
        options.listen = settings_.listen;
    } else if (plan_.params.at("transport") == "tcp") {
        options.listen = "127.0.0.1:0";
    } else {
        options.listen = fmt::format("unix:{}/{}", scratch_.path().string(), sockets_made_++);
    }
    return options;
}

std::unique_ptr<Station> Crew::start(std::size_t arm, const StationOptions& options) const {
    return std::make_unique<Station>(plan_, plan_.arms[arm], settings_, options, signals_);
}

}  // namespace loopbench
