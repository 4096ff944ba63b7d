#pragma once

#include "harness/cli.hpp"

namespace loopbench {

// The commands. Each takes the parsed command line and returns the exit status; mistakes of the
// user are thrown as UsageError, failures of processes as ProcessError.

int run_command(const CommandLine& line);
int compare_command(const CommandLine& line);
int gate_command(const CommandLine& line);
int baseline_command(const CommandLine& line);
int claims_command(const CommandLine& line);
int drive_command(const CommandLine& line);
int serve_command(const CommandLine& line);
int micro_command(const CommandLine& line);
int list_command(const CommandLine& line);
int check_command(const CommandLine& line);  ///< `list --check`
int doctor_command(const CommandLine& line);

}  // namespace loopbench
