// loopbench micro: the primitives of the loops, on Google Benchmark. Each loop has a program of its
// own; in each of as many rounds as there are repetitions every program runs once, in random order,
// as a fresh process, and what they print becomes one result.

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "harness/build_info.hpp"
#include "harness/catalogue.hpp"
#include "harness/child.hpp"
#include "harness/commands.hpp"
#include "harness/errors.hpp"
#include "harness/micro_exit_status.hpp"
#include "harness/micro_result.hpp"
#include "harness/micro_settings.hpp"
#include "harness/micro_table.hpp"
#include "harness/progress.hpp"
#include "harness/random.hpp"
#include "harness/signals.hpp"
#include "results/atomic_file.hpp"

namespace loopbench {
namespace {

std::string file_name(const FoundProgram& program) {
    return program.path.filename().string();
}

/// How a program that was run to its end came out.
struct Finished {
    std::string output;
    std::string ending;         ///< how it ended, in words
    std::optional<int> status;  ///< of its exit; none when it was killed
    std::vector<std::string> last_lines;
};

/// Runs a program to its end. Throws Interrupted, which ends it.
Finished run_to_end(const FoundProgram& program, const std::vector<std::string>& flags,
                    const StopSignals& signals) {
    ChildOptions options;
    options.command = {program.path.string()};
    options.command.insert(options.command.end(), flags.begin(), flags.end());
    Child child(options);
    try {
        child.release();
    } catch (const std::system_error& error) {
        throw ProcessError(file_name(program), fmt::format("it cannot be run: {}", error.what()));
    }
    Finished finished;
    char buffer[65536];
    while (true) {
        signals.wait(child.output());
        signals.check();
        const ssize_t got = read(child.output(), buffer, sizeof buffer);
        if (got == 0) break;
        if (got > 0) finished.output.append(buffer, static_cast<std::size_t>(got));
    }
    // It has closed its output, but may take its time to end.
    signals.wait(child.pidfd());
    signals.check();
    child.wait_for_end(0);
    finished.ending = child.ending();
    finished.status = child.exit_status();
    finished.last_lines = child.last_lines(5);
    return finished;
}

[[noreturn]] void fail(const FoundProgram& program, const Finished& finished) {
    throw ProcessError(file_name(program), finished.ending, finished.last_lines);
}

/// The names of a program's benchmarks that the filter lets through, one a line; nothing when the
/// loop cannot work here and was not asked for by name. A flag that Google Benchmark refuses is
/// found out by this.
std::optional<std::string> list_benchmarks(const FoundProgram& program,
                                           const MicroSettings& settings,
                                           const StopSignals& signals) {
    std::vector<std::string> flags = settings.passed_on;
    flags.emplace_back("--benchmark_list_tests=true");
    const Finished finished = run_to_end(program, flags, signals);
    const std::string said = finished.last_lines.empty() ? "" : finished.last_lines.back();
    if (finished.status == micro_usage) throw UsageError(said);
    if (finished.status == micro_unavailable) {
        if (!settings.all_programs) {
            throw UsageError(fmt::format("--loops: {}: {}", program.name, said));
        }
        fmt::print(stderr, "loopbench: {} is left out: {}\n", program.name, said);
        return std::nullopt;
    }
    if (finished.status != 0) fail(program, finished);
    return finished.output;
}

/// The names of what is to be measured; leaves the programs that have any of it in `settings`.
std::string find_benchmarks(MicroSettings& settings, const StopSignals& signals) {
    std::string names;
    std::vector<FoundProgram> able;
    for (const FoundProgram& program : settings.programs) {
        const auto listed = list_benchmarks(program, settings, signals);
        if (!listed || listed->empty()) continue;
        names += *listed;
        able.push_back(program);
    }
    if (able.empty()) {
        throw UsageError(fmt::format(
            "--benchmark_filter={}: it matches no primitive of these loops, or is no regular "
            "expression; --benchmark_list_tests shows their names",
            settings.filter));
    }
    settings.programs = std::move(able);
    return names;
}

/// One turn of a program: all its benchmarks, once.
BenchmarkJson take_turn(const FoundProgram& program, const MicroSettings& settings,
                        const StopSignals& signals) {
    std::vector<std::string> flags = settings.passed_on;
    // After the user's, and all of them: Google Benchmark also reads its flags from the
    // environment.
    for (const char* flag : {"--benchmark_format=json", "--benchmark_repetitions=1",
                             "--benchmark_out=", "--benchmark_list_tests=false",
                             "--benchmark_report_aggregates_only=false",
                             "--benchmark_display_aggregates_only=false"}) {
        flags.emplace_back(flag);
    }
    const Finished finished = run_to_end(program, flags, signals);
    if (finished.status != 0) fail(program, finished);
    try {
        return parse_benchmark_output(finished.output);
    } catch (const nlohmann::json::exception& error) {
        throw ProcessError(
            file_name(program),
            fmt::format("it printed no result of Google Benchmark's: {}", error.what()),
            finished.last_lines);
    }
}

MicroTurns take_turns(const MicroSettings& settings, const StopSignals& signals, bool progress) {
    ProgressLine line(progress);
    Random random(settings.seed);
    MicroTurns turns(settings.programs.size());
    const double all = static_cast<double>(settings.repetitions * turns.size());
    double done = 0;
    for (unsigned round = 0; round < settings.repetitions; ++round) {
        for (const std::size_t loop : random.permutation(turns.size())) {
            const FoundProgram& program = settings.programs[loop];
            line.show(done++ / all, fmt::format("{}, round {}", program.name, round + 1));
            turns[loop].push_back(take_turn(program, settings, signals));
        }
    }
    return turns;
}

/// The context that Google Benchmark gave, with who put the result together. Its values of one's
/// own are text.
void complete_context(BenchmarkJson& context, const MicroSettings& settings) {
    context["executable"] = std::filesystem::read_symlink("/proc/self/exe").string();
    context["loopbench_version"] = build_version();
    context["loopbench_commit"] = build_commit();
    context["loopbench_flags"] = build_flags();
    context["loopbench_seed"] = std::to_string(settings.seed);
}

std::string format(const BenchmarkJson& result, MicroSettings::Format format) {
    return format == MicroSettings::Format::json ? result.dump(2) + "\n"
                                                 : format_micro_table(result);
}

}  // namespace

int micro_command(const CommandLine& line) {
    MicroSettings settings = read_micro_settings(line, Catalogue::of_this_process());
    const StopSignals signals;
    const std::string names = find_benchmarks(settings, signals);
    if (settings.list) {
        fmt::print("{}", names);
        return exit_success;
    }
    BenchmarkJson result = merge_turns(take_turns(settings, signals, !line.has("no-progress")));
    complete_context(result["context"], settings);
    if (settings.report_aggregates_only) result = aggregates_only(result);
    if (!settings.out.empty()) write_atomically(settings.out, format(result, settings.out_format));
    fmt::print("{}", format(settings.display_aggregates_only ? aggregates_only(result) : result,
                            settings.format));
    std::fflush(stdout);
    const std::vector<std::string> errors = benchmark_errors(result);
    for (const std::string& error : errors) fmt::print(stderr, "loopbench: {}\n", error);
    return errors.empty() ? exit_success : exit_workload_failed;
}

}  // namespace loopbench
