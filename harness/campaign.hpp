#pragma once

#include <deque>
#include <vector>

#include "harness/cli.hpp"
#include "harness/errors.hpp"
#include "harness/measure.hpp"
#include "harness/progress.hpp"
#include "harness/result_output.hpp"
#include "results/result.hpp"

namespace loopbench {

/// Cases measured one after the other, into one result. What was measured is kept also when a
/// process fails or the user interrupts; the result is then marked incomplete.
class Campaign {
  public:
    /// `head` is a result without figures, as by `compose_head`. The arguments live longer than the
    /// campaign. Slices are logged beside the file that `--json` names.
    Campaign(const CommandLine& line, ResultFile head, const Settings& settings,
             const StopSignals& signals);

    /// Measures a case and adds its figures to the result. An arm that breaks off is told on
    /// standard error. False when nothing more should be measured: the user interrupted.
    bool measure(const CasePlan& plan, StoppingRule& rule);
    /// The same with other settings than the campaign's, a shorter budget for example.
    bool measure(const CasePlan& plan, const Settings& settings, StoppingRule& rule);

    /// Those that were measured until now; they stay where they are.
    const std::deque<MeasuredCase>& cases() const noexcept { return cases_; }
    ResultFile& result() noexcept { return result_; }
    /// exit_success, exit_workload_failed, exit_interrupted, or exit_unfit for what the checks
    /// found.
    ExitStatus status() const;

    /// Writes what there is so far where `--json` says, marked incomplete, and goes on.
    void checkpoint();

    /// Writes the result where `--json` says.
    void finish() { output_.finish(result_); }

  private:
    class Recorder;

    const Settings& settings_;
    const StopSignals& signals_;
    ResultFile result_;
    ResultOutput output_;
    ProgressLine progress_;
    std::deque<MeasuredCase> cases_;
    bool failed_ = false;
    bool interrupted_ = false;
};

/// The story of `run` and `drive`: measures one case, reports it on standard output, its warnings
/// on standard error, and writes the result that `--json` wants. Returns the exit status.
int measure_one_case(const CommandLine& line, const CasePlan& plan, const Settings& settings,
                     const StopSignals& signals);

/// Says what happened to a process, with the last lines of its standard error, on standard error.
void print_failure(const ProcessError& error);

}  // namespace loopbench
