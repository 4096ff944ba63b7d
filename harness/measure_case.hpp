#pragma once

#include "harness/cli.hpp"
#include "harness/settings.hpp"
#include "harness/signals.hpp"

namespace loopbench {

/// Measures a planned case, reports it on standard output, writes the result that `--json` wants.
/// What was measured is reported and written also when a process fails (exit_workload_failed) or
/// the user interrupts (exit_interrupted), marked incomplete. Returns the exit status.
int measure_case(const CommandLine& line, const CasePlan& plan, const Settings& settings,
                 const StopSignals& signals);

/// Says what happened to a process, with the last lines of its standard error, on standard error.
void print_failure(const class ProcessError& error);

}  // namespace loopbench
