#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/catalogue.hpp"
#include "harness/cli.hpp"

namespace loopbench {

/// What `loopbench micro` was asked for. Of Google Benchmark's flags, those that concern the
/// repetitions and the output are the harness's own, because it puts the output together; all
/// others are passed on to the programs.
struct MicroSettings {
    enum class Format : std::uint8_t { console, json };

    std::vector<FoundProgram> programs;  ///< in the order in which they were asked for
    bool all_programs = false;           ///< none was named: those that cannot work are left out
    std::uint64_t seed = 0;              ///< of the order within each round
    unsigned repetitions = 1;
    Format format = Format::console;
    std::string out;  ///< a file to write to as well; empty for none
    Format out_format = Format::json;
    bool list = false;                     ///< print the names, measure nothing
    bool report_aggregates_only = false;   ///< on standard output and in the file
    bool display_aggregates_only = false;  ///< on standard output
    std::string filter;                    ///< as given, for messages
    std::vector<std::string> passed_on;
};

/// Throws UsageError.
MicroSettings read_micro_settings(const CommandLine& line, const Catalogue& catalogue);

}  // namespace loopbench
