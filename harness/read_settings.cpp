#include "harness/read_settings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <random>
#include <stdexcept>

#include "harness/address.hpp"
#include "harness/errors.hpp"
#include "harness/figures.hpp"
#include "harness/matrix.hpp"
#include "harness/nearest.hpp"
#include "harness/shell_words.hpp"

namespace loopbench {
namespace {

/// Seeds stay exact in every JSON reader.
constexpr std::uint64_t most_seed = (std::uint64_t{1} << 53) - 1;

/// A number with or without a fraction, from `least` to `most`.
double read_number(const std::string& flag, const std::string& text, double least, double most,
                   const std::string& unit) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || !std::isfinite(number) || number < least || number > most) {
        throw UsageError(fmt::format("--{}={}: give one number of {} from {:g} to {:g}", flag, text,
                                     unit, least, most));
    }
    return number;
}

std::uint64_t read_count(const std::string& flag, const std::string& text, std::uint64_t least,
                         std::uint64_t most) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || number < least || number > most) {
        throw UsageError(
            fmt::format("--{}={}: give one whole number from {} to {}", flag, text, least, most));
    }
    return number;
}

std::chrono::nanoseconds seconds(double number) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(number * 1e9));
}

void read_work(Settings& settings, const CommandLine& line) {
    if (line.has("slice-ms")) {
        settings.slice =
            seconds(read_number("slice-ms", line.value("slice-ms"), 1, 60'000, "ms") / 1e3);
    }
    if (line.has("slice-rounds")) {
        settings.slice_rounds =
            read_count("slice-rounds", line.value("slice-rounds"), 1, 1'000'000'000'000);
    }
    if (line.has("slices")) {
        settings.slices = static_cast<int>(read_count("slices", line.value("slices"), 1, 1000));
    }
    if (line.has("blocks")) {
        settings.blocks = static_cast<int>(read_count("blocks", line.value("blocks"), 1, 10'000));
    }
}

/// Throws UsageError when no block has a figure of that metric.
void check_metric(std::string_view flag, const std::string& metric) {
    if (find_figure(metric) != nullptr) return;
    std::vector<std::string> known{std::string(syscalls_by_block().metric)};
    for (const Figure& figure : block_figures()) known.emplace_back(figure.metric);
    throw UsageError(fmt::format("{}={}: there is no such metric to compare; {}", flag, metric,
                                 suggestion(metric, known)));
}

}  // namespace

std::vector<std::string> read_metrics(const CommandLine& line) {
    if (!line.has("metrics")) return {};
    std::vector<std::string> metrics = split_list("--metrics", line.value("metrics"));
    for (const std::string& metric : metrics) check_metric("--metrics", metric);
    return metrics;
}

Margins read_margins(const CommandLine& line) {
    Margins margins;
    if (!line.has("margin")) return margins;
    for (const std::string& word : split_list("--margin", line.value("margin"))) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) {
            throw UsageError(fmt::format(
                "--margin={}: give METRIC=PERCENT, such as --margin=cpu_ns_per_op=2", word));
        }
        check_metric("--margin", word.substr(0, equals));
        margins[word.substr(0, equals)] =
            read_number("margin", word.substr(equals + 1), 0.01, 1000, "percent") / 100;
    }
    return margins;
}

std::string read_address(const std::string& flag, const std::string& text) {
    try {
        return format_address(parse_address(text));
    } catch (const std::invalid_argument& error) {
        const std::string what = error.what();
        throw UsageError(fmt::format("--{}={}: {}", flag, text, what));
    }
}

Settings gate_settings() {
    Settings settings;
    settings.budget = std::chrono::seconds(60);
    return settings;
}

Settings sitting_settings() {
    Settings settings = gate_settings();
    settings.precision = 0.005;
    return settings;
}

Settings read_settings(const CommandLine& line, const Catalogue& catalogue, const Settings& usual) {
    Settings settings = usual;
    if (line.has("budget")) {
        settings.budget =
            seconds(read_number("budget", line.value("budget"), 0.1, 86'400, "seconds"));
    }
    if (line.has("precision")) {
        settings.precision =
            read_number("precision", line.value("precision"), 0, 100, "percent") / 100;
    }
    read_work(settings, line);
    settings.seed = line.has("seed") ? read_count("seed", line.value("seed"), 0, most_seed)
                                     : std::random_device{}();
    if (line.has("timeout")) {
        const double timeout = read_number("timeout", line.value("timeout"), 0.1, 3600, "seconds");
        settings.patience.answer =
            std::chrono::milliseconds(static_cast<std::int64_t>(timeout * 1e3));
        settings.patience.slice = settings.patience.answer;
    }
    settings.processors = choose_processors(line.value("cpus"), allowed_processors());
    if (line.has("sut-prefix")) {
        settings.sut_prefix = split_shell_words("--sut-prefix", line.value("sut-prefix"));
    }
    if (line.has("driver-prefix")) {
        settings.driver_prefix = split_shell_words("--driver-prefix", line.value("driver-prefix"));
    }
    if (line.has("listen")) settings.listen = read_address("listen", line.value("listen"));
    settings.driver_program = catalogue.find("loopbench-driver");
    settings.allocation_counter = catalogue.find("libloopbench-allocations.so");
    return settings;
}

}  // namespace loopbench
