#include "harness/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "harness/compose.hpp"
#include "harness/report.hpp"

namespace loopbench {

/// Passes what happens on to the slice log, the progress line and the result.
class Campaign::Recorder : public MeasureObserver {
  public:
    Recorder(Campaign& campaign, const CasePlan& plan) : campaign_(campaign), plan_(plan) {}

    void slice_taken(Placement placement, const std::string& arm,
                     const SliceSample& sample) override {
        campaign_.output_.add(placement, arm, sample);
    }
    void arm_failed(const std::string& arm, const ProcessError& error) override {
        campaign_.progress_.clear();
        print_failure(error);
        campaign_.failed_ = true;
        campaign_.result_.warnings.push_back({Grade::voids, "process_failed",
                                              fmt::format("{} {}", error.who(), error.what()),
                                              "see its last lines on standard error", std::nullopt,
                                              fmt::format("{} on {}", plan_.workload.name, arm)});
    }
    void progress(double fraction, const std::string& doing) override {
        campaign_.progress_.show(fraction, doing);
    }

  private:
    Campaign& campaign_;
    const CasePlan& plan_;
};

Campaign::Campaign(const CommandLine& line, ResultFile head, const Settings& settings,
                   const StopSignals& signals)
    : settings_(settings),
      signals_(signals),
      result_(std::move(head)),
      output_(line.value("json")),
      progress_(!line.has("no-progress")) {
    output_.begin(result_);
    result_.complete = true;
}

bool Campaign::measure(const CasePlan& plan, StoppingRule& rule) {
    return measure(plan, settings_, rule);
}

bool Campaign::measure(const CasePlan& plan, const Settings& settings, StoppingRule& rule) {
    MeasuredCase& measured = cases_.emplace_back(MeasuredCase{plan, {}});
    Recorder recorder(*this, measured.plan);
    Measurement measurement(measured.plan, settings, signals_, rule, recorder);
    try {
        measurement.run();
    } catch (const Interrupted&) {
        progress_.clear();
        fmt::print(stderr, "loopbench: interrupted: what was measured until now follows\n");
        interrupted_ = true;
    }
    progress_.clear();
    result_.complete = result_.complete && !interrupted_ && !measurement.any_arm_failed();
    measured.placements = measurement.samples();
    compose_figures(result_, measured.plan, measured.placements);
    return !interrupted_;
}

void Campaign::checkpoint() {
    const bool complete = std::exchange(result_.complete, false);
    output_.checkpoint(result_);
    result_.complete = complete;
}

ExitStatus Campaign::status() const {
    if (interrupted_) return exit_interrupted;
    if (failed_) return exit_workload_failed;
    const bool unfit =
        std::any_of(result_.warnings.begin(), result_.warnings.end(),
                    [](const Warning& warning) { return warning.grade == Grade::unfit; });
    return unfit ? exit_unfit : exit_success;
}

void print_failure(const ProcessError& error) {
    fmt::print(stderr, "loopbench: {}: {}\n", error.who(), error.what());
    if (const auto* refused = dynamic_cast<const RefusedError*>(&error)) {
        if (!refused->remedy().empty()) fmt::print(stderr, "  remedy: {}\n", refused->remedy());
    }
    for (const std::string& line : error.last_lines()) fmt::print(stderr, "  | {}\n", line);
}

int measure_one_case(const CommandLine& line, const CasePlan& plan, const Settings& settings,
                     const StopSignals& signals) {
    Campaign campaign(line, compose_head({plan}, settings), settings, signals);
    PrecisionRule rule(plan, settings, 0);
    campaign.measure(plan, rule);
    fmt::print("{}", format_report(campaign.result(), campaign.cases().front()));
    std::fflush(stdout);
    fmt::print(stderr, "{}", format_warnings(campaign.result()));
    campaign.finish();
    return campaign.status();
}

}  // namespace loopbench
