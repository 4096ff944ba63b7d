#include "harness/micro_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "harness/errors.hpp"
#include "harness/nearest.hpp"
#include "harness/read_settings.hpp"
#include "harness/result_output.hpp"

namespace loopbench {
namespace {

constexpr std::string_view micro_prefix = "loopbench-micro-";

MicroSettings::Format read_format(const std::string& flag, const std::string& value) {
    if (value == "console") return MicroSettings::Format::console;
    if (value == "json") return MicroSettings::Format::json;
    throw UsageError(fmt::format("{}={}: give console or json{}", flag, value,
                                 value == "csv" ? "; Google Benchmark has deprecated csv" : ""));
}

/// As Google Benchmark reads a boolean: everything is true but what says no.
bool read_switch(const std::string& value) {
    static const std::set<std::string> no{"0", "f", "n", "F", "N", "false", "no", "off"};
    return !no.contains(value);
}

unsigned read_repetitions(const std::string& flag, const std::string& value) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool whole = error == std::errc() && end == value.data() + value.size();
    if (!whole || number < 1 || number > 100'000) {
        throw UsageError(fmt::format("{}={}: give one whole number from 1 to 100000", flag, value));
    }
    return number;
}

/// Takes what is the harness's own; everything else is passed on.
void read_benchmark_flag(MicroSettings& settings, const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    const std::map<std::string, std::function<void()>> own{
        {"--benchmark_repetitions", [&] { settings.repetitions = read_repetitions(flag, value); }},
        {"--benchmark_format", [&] { settings.format = read_format(flag, value); }},
        {"--benchmark_out", [&] { settings.out = value; }},
        {"--benchmark_out_format", [&] { settings.out_format = read_format(flag, value); }},
        {"--benchmark_list_tests", [&] { settings.list = read_switch(value); }},
        {"--benchmark_report_aggregates_only",
         [&] { settings.report_aggregates_only = read_switch(value); }},
        {"--benchmark_display_aggregates_only",
         [&] { settings.display_aggregates_only = read_switch(value); }},
    };
    const auto found = own.find(flag);
    if (found != own.end()) return found->second();
    if (flag == "--benchmark_filter") settings.filter = value;
    settings.passed_on.push_back(word);
}

std::vector<FoundProgram> choose_programs(const CommandLine& line, const Catalogue& catalogue) {
    const std::vector<FoundProgram> all = catalogue.programs(micro_prefix);
    if (all.empty()) {
        throw UsageError(
            "micro: no loopbench-micro-* executable was found; build them, which takes Google "
            "Benchmark (libbenchmark-dev), or name their directory in LOOPBENCH_PATH");
    }
    if (!line.has("loops")) return all;
    std::vector<std::string> names;
    for (const FoundProgram& program : all) names.push_back(program.name);
    const std::string list = line.value("loops");
    std::vector<FoundProgram> chosen;
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
        const auto is_it = [&](const FoundProgram& program) { return program.name == word; };
        const auto found = std::find_if(all.begin(), all.end(), is_it);
        if (found == all.end()) {
            throw UsageError(fmt::format("--loops={}: there are no primitives of a loop '{}'; {}",
                                         list, word, suggestion(word, names)));
        }
        if (std::any_of(chosen.begin(), chosen.end(), is_it)) {
            throw UsageError(fmt::format("--loops={}: name each loop once", list));
        }
        chosen.push_back(*found);
    }
    if (chosen.empty()) {
        throw UsageError(fmt::format("--loops={}: name a loop, {}", list, names.front()));
    }
    return chosen;
}

}  // namespace

MicroSettings read_micro_settings(const CommandLine& line, const Catalogue& catalogue) {
    MicroSettings settings;
    for (const std::string& word : line.passed_on) read_benchmark_flag(settings, word);
    settings.seed = read_settings(line, catalogue).seed;
    settings.programs = choose_programs(line, catalogue);
    settings.all_programs = !line.has("loops");
    check_output("--benchmark_out", settings.out);
    return settings;
}

}  // namespace loopbench
