// loopbench: measures what an event loop costs. The story of each command is in its own file,
// harness/*_command.cpp; that of measuring is in harness/campaign.cpp and harness/measure.cpp.

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "harness/campaign.hpp"
#include "harness/cli.hpp"
#include "harness/commands.hpp"
#include "harness/errors.hpp"

namespace loopbench {
namespace {

int dispatch(const CommandLine& line) {
    if (line.command == "run") return run_command(line);
    if (line.command == "compare") return compare_command(line);
    if (line.command == "gate") return gate_command(line);
    if (line.command == "baseline") return baseline_command(line);
    if (line.command == "claims") return claims_command(line);
    if (line.command == "drive") return drive_command(line);
    if (line.command == "serve") return serve_command(line);
    if (line.command == "micro") return micro_command(line);
    if (line.command == "doctor") return doctor_command(line);
    return list_command(line);
}

int guarded_main(int argc, const char* const* argv) {
    try {
        const CommandLine line = parse_command_line(argc, argv);
        if (line.help.empty()) return dispatch(line);
        fmt::print("{}", line.help);
        return exit_success;
    } catch (const UsageError& error) {
        fmt::print(stderr, "loopbench: {}\n", error.what());
        return exit_usage;
    } catch (const ProcessError& error) {
        print_failure(error);
        return exit_workload_failed;
    } catch (const Interrupted&) {
        return exit_interrupted;
    } catch (const std::exception& error) {
        fmt::print(stderr, "loopbench: {}\n", error.what());
        return exit_workload_failed;
    }
}

}  // namespace
}  // namespace loopbench

int main(int argc, char** argv) {
    return loopbench::guarded_main(argc, argv);
}
