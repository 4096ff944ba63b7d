#include "harness/micro_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace loopbench {
namespace {

/// Three figures that count, as Google Benchmark has it.
std::string format_time(double time) {
    if (time < 1) return fmt::format("{:.3f}", time);
    if (time < 10) return fmt::format("{:.2f}", time);
    if (time < 100) return fmt::format("{:.1f}", time);
    return fmt::format("{:.0f}", time);
}

bool is_percentage(const BenchmarkJson& run) {
    return run.value("aggregate_unit", "time") == "percentage";
}

std::string format_cell(const BenchmarkJson& run, const char* key) {
    if (is_percentage(run)) return fmt::format("{:.2f} %", run.at(key).get<double>() * 100) + " ";
    return fmt::format("{} {:<2}", format_time(run.at(key)),
                       run.at("time_unit").get<std::string>());
}

std::string format_counter(double value) {
    static constexpr std::array<std::string_view, 5> prefixes{"", "k", "M", "G", "T"};
    std::size_t prefix = 0;
    while (std::abs(value) >= 1000 && prefix + 1 < prefixes.size()) {
        value /= 1000;
        ++prefix;
    }
    return fmt::format("{:.6g}{}", value, prefixes[prefix]);
}

/// Whatever figures follow the times: they come last in an entry.
std::string format_counters(const BenchmarkJson& run) {
    std::string text;
    bool figures = false;
    for (const auto& [key, value] : run.items()) {
        if (figures && value.is_number()) {
            const std::string_view unit = key.ends_with("_per_second") ? "/s" : "";
            text += is_percentage(run) ? fmt::format(" {}={:.2f}%", key, value.get<double>() * 100)
                                       : fmt::format(" {}={}{}", key, format_counter(value), unit);
        }
        figures = figures || key == "time_unit";
    }
    return text;
}

std::string format_run(const BenchmarkJson& run, std::size_t width) {
    const std::string name = run.at("name");
    if (run.value("error_occurred", false)) {
        return fmt::format("{:<{}} ERROR OCCURRED: '{}'\n", name, width,
                           run.value("error_message", ""));
    }
    return fmt::format("{:<{}} {:>13} {:>15} {:>12}{}\n", name, width,
                       format_cell(run, "real_time"), format_cell(run, "cpu_time"),
                       run.at("iterations").get<std::int64_t>(), format_counters(run));
}

}  // namespace

std::string format_micro_table(const BenchmarkJson& result) {
    const BenchmarkJson& runs = result.at("benchmarks");
    std::size_t width = std::string_view("Benchmark").size();
    for (const BenchmarkJson& run : runs) {
        width = std::max(width, run.at("name").get_ref<const std::string&>().size());
    }
    const std::string head = fmt::format("{:<{}} {:>13} {:>15} {:>12} UserCounters...", "Benchmark",
                                         width, "Time", "CPU", "Iterations");
    const std::string rule(head.size(), '-');
    std::string table = fmt::format("{}\n{}\n{}\n", rule, head, rule);
    for (const BenchmarkJson& run : runs) table += format_run(run, width);
    return table;
}

}  // namespace loopbench
