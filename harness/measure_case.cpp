#include "harness/measure_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "harness/compose.hpp"
#include "harness/errors.hpp"
#include "harness/measure.hpp"
#include "harness/progress.hpp"
#include "harness/report.hpp"
#include "harness/result_output.hpp"

namespace loopbench {
namespace {

/// Passes what happens on to the slice log and the progress line.
class Recorder : public MeasureObserver {
  public:
    Recorder(ResultOutput& output, ProgressLine& line) : output_(output), line_(line) {}

    void slice_taken(Placement placement, const std::string& arm,
                     const SliceSample& sample) override {
        output_.add(placement, arm, sample);
    }
    void progress(double fraction, const std::string& doing) override {
        line_.show(fraction, doing);
    }

  private:
    ResultOutput& output_;
    ProgressLine& line_;
};

bool is_unfit(const ResultFile& result) {
    return std::any_of(result.warnings.begin(), result.warnings.end(),
                       [](const Warning& warning) { return warning.grade == Grade::unfit; });
}

Warning failure_warning(const ProcessError& error) {
    return {Grade::voids,
            "process_failed",
            fmt::format("{} {}", error.who(), error.what()),
            "see its last lines on standard error",
            std::nullopt,
            error.who()};
}

}  // namespace

void print_failure(const ProcessError& error) {
    fmt::print(stderr, "loopbench: {}: {}\n", error.who(), error.what());
    if (const auto* refused = dynamic_cast<const RefusedError*>(&error)) {
        if (!refused->remedy().empty()) fmt::print(stderr, "  remedy: {}\n", refused->remedy());
    }
    for (const std::string& line : error.last_lines()) fmt::print(stderr, "  | {}\n", line);
}

int measure_case(const CommandLine& line, const CasePlan& plan, const Settings& settings,
                 const StopSignals& signals) {
    ResultOutput output(line.value("json"));
    ResultFile result = compose_head(plan, settings);
    output.begin(result);
    ProgressLine progress(!line.has("no-progress"));
    Recorder recorder(output, progress);
    Measurement measurement(plan, settings, signals, recorder);
    int status = exit_success;
    result.complete = true;
    std::optional<ProcessError> failure;
    try {
        measurement.run();
    } catch (const ProcessError& error) {
        progress.clear();
        print_failure(error);
        result.warnings.push_back(failure_warning(error));
        status = exit_workload_failed;
        result.complete = false;
    } catch (const Interrupted&) {
        progress.clear();
        fmt::print(stderr, "loopbench: interrupted: what was measured until now follows\n");
        status = exit_interrupted;
        result.complete = false;
    }
    progress.clear();
    compose_figures(result, plan, measurement.samples());
    fmt::print("{}", format_report(result, plan));
    std::fflush(stdout);
    fmt::print(stderr, "{}", format_warnings(result));
    output.finish(result);
    return status == exit_success && is_unfit(result) ? exit_unfit : status;
}

}  // namespace loopbench
