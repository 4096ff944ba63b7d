#include "harness/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <memory>
#include <vector>

#include "harness/build_info.hpp"
#include "harness/errors.hpp"
#include "harness/nearest.hpp"
#include "harness/workload_parameters.hpp"

namespace loopbench {
namespace {

/// A flag that is no parameter of a workload.
struct Flag {
    std::string name;
    std::string placeholder;  ///< of its value; empty for a switch
    std::string help;
    std::vector<std::string> commands;
};

const std::vector<Flag>& flags() {
    static const std::vector<std::string> measuring{"run",      "compare", "gate",
                                                    "baseline", "drive",   "claims"};
    static const std::vector<std::string> several{"compare", "gate", "baseline"};
    static const std::vector<std::string> starting{"run",   "compare", "gate",  "baseline",
                                                   "drive", "serve",   "claims"};
    static const std::vector<std::string> waiting{"run",   "compare", "gate",   "baseline",
                                                  "drive", "serve",   "claims", "list"};
    static const std::vector<std::string> with_suts{"run",      "compare", "gate",
                                                    "baseline", "serve",   "claims"};
    static const std::vector<Flag> all{
        {"loop", "ARM", "the loop to measure: NAME[+key=value...] or exec:PATH", {"run", "serve"}},
        {"loops",
         "ARMS",
         "arms with commas between (gate, baseline: epoll; micro: all loops that are here)",
         {"compare", "gate", "baseline", "micro"}},
        {"workload",
         "NAME",
         "what it is made to do (loopbench list workloads)",
         {"run", "serve", "drive"}},
        {"workloads", "NAMES", "workloads with commas between (gate, baseline: echo)", several},
        {"reference",
         "ARM",
         "an arm to measure beside it (compare: bare for sockets, else mostly normaliser)",
         {"run", "compare"}},
        {"against",
         "DIR",
         "another build, the reference: its SUTs' directory, build tree or installation",
         {"gate"}},
        {"baseline", "FILE", "what loopbench baseline recorded, the reference", {"gate"}},
        {"aa", "", "this build against itself: what can this machine detect?", {"gate"}},
        {"only", "IDS", "these claims, with commas between (loopbench list claims)", {"claims"}},
        {"own", "", "what loopbench claims of its own loops, instead of the field's", {"claims"}},
        {"quick", "", "the fewest figures that a verdict can be given by", {"claims"}},
        {"full", "", "every figure; with --json, goes on where it was interrupted", {"claims"}},
        {"metrics", "NAMES",
         "metrics to judge, with commas between (compare: processor time, in split "
         "throughput; gate: processor time, throughput, system calls)",
         several},
        {"margin",
         "METRIC=PERCENT",
         "what still counts as unchanged; several with commas between",
         {"compare", "gate"}},
        {"inconclusive",
         "pass|fail",
         "what the exit code makes of INCONCLUSIVE: 0 or 1 instead of 3",
         {"gate"}},
        {"allow-environment-mismatch",
         "",
         "judge by a baseline of another environment all the same",
         {"gate", "baseline"}},
        {"target", "ADDRESS", "the server: 127.0.0.1:PORT, [::1]:PORT or unix:/path", {"drive"}},
        {"listen",
         "ADDRESS",
         "where the SUT listens: 127.0.0.1:PORT, [::1]:PORT or unix:/path",
         {"run", "serve"}},
        {"placement", "NAME", "lockstep or split (run: both; drive: split; else lockstep)",
         measuring},
        {"budget", "SECONDS", "time for a case, all it takes (30; gate and baseline 60)",
         measuring},
        {"precision",
         "PERCENT",
         "half-width of the main interval at which to stop (2); 0: never",
         {"run", "compare", "drive", "claims"}},
        {"slice-ms", "MS", "least length of a slice in ms (2 in lockstep, else 30)", measuring},
        {"slice-rounds", "N",
         "exact rounds (in process: operations) in a slice, in place of a time", measuring},
        {"slices", "N", "slices of an arm in a block (8 to 80, fewer if the budget is short)",
         measuring},
        {"blocks", "N", "exact number of blocks, in place of the budget's", measuring},
        {"seed",
         "N",
         "seed of everything random (drawn, and told in the result)",
         {"run", "compare", "gate", "baseline", "drive", "serve", "micro", "claims"}},
        {"cpus",
         "SUT,DRIVER",
         "processors to use",
         {"run", "compare", "gate", "baseline", "drive", "serve", "doctor", "claims"}},
        {"sut-prefix", "COMMAND", "words put before the SUT's command, as in 'ip netns exec a'",
         with_suts},
        {"driver-prefix", "COMMAND", "words put before the driver's command", measuring},
        {"timeout", "SECONDS", "how long a process may take to answer (10)", waiting},
        {"json", "FILE", "write the result there", {"run", "compare", "gate", "drive", "claims"}},
        {"json", "", "print JSON", {"list", "doctor"}},
        {"check", "ARM", "does it keep the control protocol? NAME or exec:PATH", {"list"}},
        {"markdown", "FILE", "write a summary there, for a pull request", {"gate"}},
        {"config", "FILE", "read flags from a file of lines name=value", starting},
        {"no-progress",
         "",
         "no progress line",
         {"run", "compare", "gate", "baseline", "drive", "micro", "claims"}},
    };
    return all;
}

const std::vector<std::pair<std::string, std::string>>& commands() {
    static const std::vector<std::pair<std::string, std::string>> all{
        {"run", "Measure one loop on one workload"},
        {"compare", "Measure several loops side by side and say which are faster"},
        {"gate", "Has this build become slower? The exit code says it"},
        {"baseline", "Record one sitting of a baseline for the gate"},
        {"claims", "Measure what is said of event loops, and judge it"},
        {"serve", "Run a loop as a server for clients of your own"},
        {"drive", "Measure a server of your own with the driver"},
        {"micro", "Time the primitives of loops, on Google Benchmark"},
        {"list", "Show the loops, workloads, metrics or claims"},
        {"doctor", "Is this machine fit to measure on?"},
    };
    return all;
}

constexpr const char* micro_footer =
    "Every --benchmark_* flag is Google Benchmark's, such as --benchmark_filter=REGEX on names "
    "like\n"
    "epoll/timer_start/1000, --benchmark_list_tests, --benchmark_min_time=SECONDS,\n"
    "--benchmark_format=console|json or --benchmark_out=FILE. With --benchmark_repetitions=N the\n"
    "loops take turns: N rounds of fresh processes, in random order.\n";

/// Takes Google Benchmark's flags out of the words that are unknown here. A value may be the word
/// that follows.
std::vector<std::string> take_benchmark_flags(std::vector<std::string>& words) {
    std::vector<std::string> taken;
    std::vector<std::string> left;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--benchmark_")) {
            left.push_back(words[i]);
            continue;
        }
        taken.push_back(words[i]);
        const bool has_value = words[i].find('=') != std::string::npos;
        if (!has_value && i + 1 < words.size() && !words[i + 1].starts_with("-")) {
            taken.back() += "=" + words[++i];
        }
    }
    words = std::move(left);
    return taken;
}

/// The parser with places for the values; CLI11 keeps pointers into them.
struct Parser {
    CLI::App app{"loopbench: what does this event loop cost?", "loopbench"};
    std::map<std::string, std::map<std::string, std::string>> values;
    std::map<std::string, std::map<std::string, bool>> switches;
    std::string topic;
};

void add_flag(Parser& parser, CLI::App& sub, const Flag& flag) {
    const std::string command = sub.get_name();
    if (flag.placeholder.empty()) {
        sub.add_flag("--" + flag.name, parser.switches[command][flag.name], flag.help);
    } else {
        sub.add_option("--" + flag.name, parser.values[command][flag.name], flag.help)
            ->type_name(flag.placeholder)
            ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    }
}

std::string parameter_help(const Parameter& parameter) {
    std::vector<std::string> presets;
    for (const auto& [workload, preset] : parameter.defaults) {
        if (!preset.is_null()) {
            presets.push_back(fmt::format(
                "{} {}", workload, preset.is_string() ? preset.get<std::string>() : preset.dump()));
        }
    }
    std::string choices;
    for (const std::string& choice : parameter.choices) {
        choices += (choices.empty() ? ": " : ", ") + choice;
    }
    if (presets.empty()) return parameter.help;
    return fmt::format("{}{} ({})", parameter.help, choices, fmt::join(presets, ", "));
}

std::unique_ptr<Parser> make_parser() {
    auto parser = std::make_unique<Parser>();
    parser->app.set_version_flag("--version", build_version());
    parser->app.require_subcommand(0, 1);
    parser->app.allow_extras();
    for (const auto& [command, help] : commands()) {
        CLI::App& sub = *parser->app.add_subcommand(command, help);
        sub.allow_extras();
        for (const Flag& flag : flags()) {
            const bool mine = std::find(flag.commands.begin(), flag.commands.end(), command) !=
                              flag.commands.end();
            if (mine) add_flag(*parser, sub, flag);
        }
        if (command == "list") {
            sub.add_option("topic", parser->topic, "loops, workloads, metrics or claims");
        }
        if (command == "baseline") {
            sub.add_option("file", parser->topic, "the baseline, which one sitting is added to");
        }
        if (command == "micro") sub.footer(micro_footer);
        const bool takes_no_parameters =
            command == "list" || command == "micro" || command == "doctor" || command == "claims";
        if (takes_no_parameters) continue;
        for (const Parameter& parameter : all_parameters()) {
            sub.add_option(parameter.flag(), parser->values[command][parameter.flag().substr(2)],
                           parameter_help(parameter))
                ->type_name("VALUE")
                ->group("Parameters of workloads")
                ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        }
    }
    return parser;
}

std::vector<std::string> command_names() {
    std::vector<std::string> names;
    for (const auto& [name, help] : commands()) names.push_back(name);
    return names;
}

/// The flags of a command, with dashes.
std::vector<std::string> flag_names(const CLI::App& sub) {
    std::vector<std::string> names;
    for (const CLI::Option* option : sub.get_options()) {
        if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
    }
    return names;
}

/// CLI11's messages in our form: one line with the flag and what would do.
[[noreturn]] void rewrite(const CLI::ParseError& error) {
    const std::string text = error.what();
    const std::string flag = text.substr(0, text.find_first_of(": "));
    if (text.find("missing") != std::string::npos && flag.starts_with("--")) {
        throw UsageError(fmt::format("{}: a value is missing; give {}=VALUE", flag, flag));
    }
    if (flag.starts_with("--")) {
        throw UsageError(fmt::format("{}: give it once, with one value", flag));
    }
    throw UsageError(fmt::format("{}; see loopbench --help", text.substr(0, text.find('\n'))));
}

void refuse_extras(const std::vector<std::string>& extras, const CLI::App* sub) {
    if (extras.empty()) return;
    const std::string word = extras.front();
    if (sub == nullptr) {
        throw UsageError(fmt::format("{}: there is no such command; {}", word,
                                     suggestion(word, command_names())));
    }
    const std::string name = word.substr(0, word.find('='));
    if (!word.starts_with("-")) {
        throw UsageError(
            fmt::format("{}: not expected here; {} takes flags only (loopbench {} "
                        "--help)",
                        word, sub->get_name(), sub->get_name()));
    }
    const std::string near = nearest_name(name, flag_names(*sub));
    throw UsageError(fmt::format("{}: {} has no such flag; {}", word, sub->get_name(),
                                 near.empty()
                                     ? fmt::format("see loopbench {} --help", sub->get_name())
                                     : fmt::format("did you mean {}?", near)));
}

/// Adds the flags of a `--config` file that were not typed.
void read_config(CommandLine& line, const CLI::App& sub) {
    const std::string path = line.value("config");
    std::ifstream file(path);
    if (!file || file.peek() == std::ifstream::traits_type::eof()) {
        throw UsageError(
            fmt::format("--config={}: it cannot be read, or is empty; give a file of "
                        "lines name=value",
                        path));
    }
    const std::vector<std::string> known = flag_names(sub);
    for (const CLI::ConfigItem& item : CLI::ConfigBase().from_config(file)) {
        if (item.name == "++" || item.name == "--") continue;  // CLI11's marks of a section
        std::string name = item.name;
        std::replace(name.begin(), name.end(), '_', '-');
        const bool usable = std::find(known.begin(), known.end(), "--" + name) != known.end() &&
                            name != "config" && name != "help" && item.parents.empty();
        if (!usable) {
            throw UsageError(fmt::format("--config={}: '{}' is no flag of {}; {}", path,
                                         item.fullname(), sub.get_name(),
                                         suggestion("--" + name, known)));
        }
        if (item.inputs.size() != 1) {
            throw UsageError(
                fmt::format("--config={}: '{}' needs one value; write {}=VALUE", path, name, name));
        }
        line.flags.emplace(name, item.inputs.front());
    }
}

}  // namespace

std::string CommandLine::value(const std::string& flag, const std::string& otherwise) const {
    const auto found = flags.find(flag);
    return found == flags.end() ? otherwise : found->second;
}

std::string CommandLine::required(const std::string& flag, const std::string& example) const {
    if (!has(flag) || value(flag).empty()) {
        throw UsageError(
            fmt::format("--{}: it is needed; give --{}={}, for example", flag, flag, example));
    }
    return value(flag);
}

std::map<std::string, std::string> CommandLine::parameters() const {
    std::map<std::string, std::string> given;
    for (const Parameter& parameter : all_parameters()) {
        const std::string flag = parameter.flag().substr(2);
        if (has(flag)) given[parameter.name] = value(flag);
    }
    return given;
}

CommandLine parse_command_line(int argc, const char* const* argv) {
    const std::unique_ptr<Parser> parser = make_parser();
    CommandLine line;
    try {
        parser->app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        line.help = parser->app.help();
        return line;
    } catch (const CLI::CallForVersion& version) {
        line.help = std::string(version.what()) + "\n";
        return line;
    } catch (const CLI::ParseError& error) {
        rewrite(error);
    }
    const std::vector<CLI::App*> chosen = parser->app.get_subcommands();
    std::vector<std::string> extras = parser->app.remaining(true);
    if (!chosen.empty() && chosen.front()->get_name() == "micro") {
        line.passed_on = take_benchmark_flags(extras);
    }
    refuse_extras(extras, chosen.empty() ? nullptr : chosen.front());
    if (chosen.empty()) {
        throw UsageError(
            fmt::format("a command is needed: {}; such as loopbench run --loop=epoll "
                        "--workload=echo",
                        fmt::join(command_names(), ", ")));
    }
    const CLI::App& sub = *chosen.front();
    line.command = sub.get_name();
    line.topic = parser->topic;
    for (const auto& [name, value] : parser->values[line.command]) {
        if (sub.count("--" + name) > 0) line.flags[name] = value;
    }
    for (const auto& [name, on] : parser->switches[line.command]) {
        if (on) line.flags[name] = "true";
    }
    if (line.has("config")) read_config(line, sub);
    return line;
}

}  // namespace loopbench
