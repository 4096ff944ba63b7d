#include "harness/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/checks.hpp"
#include "harness/figures.hpp"
#include "harness/offered_rate.hpp"
#include "results/metrics.hpp"
#include "results/table.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

std::string format_ratio(const ResultFile& result, const std::string& placement,
                         std::string_view metric, Footnotes& notes) {
    for (const Comparison& comparison : result.comparisons) {
        if (comparison.placement == placement && comparison.metric == metric) {
            return format_cell(comparison, notes);
        }
    }
    return "";
}

/// The metrics that a person looks for first; the others are in the result file.
const std::vector<std::string_view>& headline() {
    static const std::vector<std::string_view> metrics{"cpu_ns_per_op",
                                                       "cpu_ns_per_switch",
                                                       "cpu_ns_per_start",
                                                       "cpu_ns_per_cancel",
                                                       "cpu_ns_per_expire",
                                                       "cpu_ns_per_timer",
                                                       "throughput",
                                                       "offered_rate",
                                                       "achieved_share",
                                                       "bytes_per_second",
                                                       "task_switches_per_second",
                                                       "latency_p50",
                                                       "latency_p90",
                                                       "latency_p99",
                                                       "latency_p999",
                                                       "latency_max",
                                                       "send_lag_p50",
                                                       "send_lag_p99",
                                                       "send_lag_max",
                                                       "lateness_p50",
                                                       "lateness_p90",
                                                       "lateness_p99",
                                                       "lateness_max",
                                                       "timer_delay_per_spin",
                                                       "echo_delay_per_spin",
                                                       "turns_to_cancel",
                                                       "next_turn_share",
                                                       "cancelled_first_share",
                                                       "syscalls_per_op",
                                                       "allocations_per_op",
                                                       "voluntary_switches_per_op",
                                                       "involuntary_switches_per_op",
                                                       "ops_per_turn",
                                                       "messages_per_read",
                                                       "sut_busy",
                                                       "peak_rss_bytes",
                                                       "rss_per_connection_bytes",
                                                       "rss_per_timer_bytes"};
    return metrics;
}

/// The cases of a result that stand beside one another: columns.
using Columns = std::vector<const Case*>;

/// Why a figure is not to be used, or empty.
std::string why_void(const ResultFile& result, const Case& one, std::string_view metric) {
    const std::string cell = cell_name(one.workload, one.arm, one.placement);
    for (const Warning& warning : result.warnings) {
        if (warning.grade == Grade::voids && warning.metric == metric && warning.cell == cell) {
            return "void: " + warning.text;
        }
    }
    return "";
}

/// The cells of one metric; none when the workload does not have it, or when the server is not ours
/// and nothing can be known of it.
std::vector<std::string> row_of(const ResultFile& result, std::string_view metric,
                                const Columns& columns, Footnotes& notes) {
    std::vector<std::string> row;
    for (const Case* column : columns) {
        const auto value = column->metrics.find(std::string(metric));
        const bool known = value != column->metrics.end() && value->second.reason != foreign_server;
        if (!known) return {};
        row.push_back(format_cell(value->second, notes));
        const std::string why = why_void(result, *column, metric);
        if (!why.empty()) row.back() += " " + notes.mark(why);
    }
    return row;
}

std::string format_table(const ResultFile& result, const Columns& columns, bool with_ratio,
                         Footnotes& notes) {
    std::vector<Table::Column> heads{
        {with_ratio ? columns.front()->placement : "", Table::Align::left}};
    for (const Case* column : columns) {
        heads.push_back({with_ratio ? column->arm : column->placement});
    }
    if (with_ratio) heads.push_back({"ratio [95%]"});
    Table table(std::move(heads));
    for (const std::string_view metric : headline()) {
        std::vector<std::string> row = row_of(result, metric, columns, notes);
        if (row.empty()) continue;
        // Where an operation is a switch, the line below says the same.
        const bool repeated = columns.front()->metrics.contains("cpu_ns_per_switch");
        if (repeated && metric == "cpu_ns_per_op") continue;
        if (with_ratio) {
            row.push_back(format_ratio(result, columns.front()->placement, metric, notes));
        }
        const MetricDefinition& definition = *find_metric(metric);
        row.insert(row.begin(), fmt::format("{}{}", definition.label,
                                            definition.unit == "1/op" ? " per op" : ""));
        table.add_row(std::move(row));
    }
    return table.render();
}

std::string describe_arm(const ReadyArm& arm) {
    if (!arm.target.empty()) return fmt::format("the server at {}", arm.target);
    return fmt::format("{} ({} {})", arm.spec.id,
                       arm.description.value("library", arm.description.value("name", "?")),
                       arm.description.value("version", ""));
}

std::string format_title(const CasePlan& plan) {
    std::string title = fmt::format("{} on {}", plan.workload.name, describe_arm(plan.arms[0]));
    if (plan.arms.size() > 1) title += fmt::format(", beside {}", describe_arm(plan.arms[1]));
    return fmt::format("{}\n{}\n", title, format_parameters(plan));
}

/// Who runs where in a placement.
std::string format_place(const std::string& placement, const ResultFile& result, bool foreign) {
    const int first = result.plan.cpus.front();
    const int last = result.plan.cpus.back();
    if (foreign) return fmt::format("driver on CPU {}", placement == "split" ? last : first);
    if (placement == "lockstep") return fmt::format("SUT and driver in turns on CPU {}", first);
    if (placement == "split") return fmt::format("SUT on CPU {}, driver on CPU {}", first, last);
    return fmt::format("on CPU {}", first);
}

/// Whether two warnings differ in nothing but the metric that they void.
bool is_same_finding(const Warning& one, Warning other) {
    const bool of_metric = other.metric.has_value();
    other.metric = one.metric;
    return of_metric && one == other;
}

}  // namespace

std::string format_parameters(const CasePlan& plan) {
    std::vector<std::string> parameters;
    for (const Parameter& parameter : all_parameters()) {
        const auto value = plan.params.find(parameter.name);
        if (value == plan.params.end()) continue;
        parameters.push_back(
            fmt::format("{} {}", parameter.flag().substr(2),
                        value->is_string() ? value->get<std::string>() : value->dump()));
    }
    return fmt::format("{}", fmt::join(parameters, " · "));
}

std::string format_method(const ResultFile& result, const CasePlan& plan,
                          const PlacementSamples& samples) {
    const std::string placement(name_of(samples.placement));
    const int blocks = samples.whole_blocks();
    const auto slices = static_cast<std::size_t>(samples.shape.slices);
    const std::size_t least = samples.least_slices();
    return fmt::format("{}: {}; {} block{} × {}{} slice{} of {:.3g} ms; {}\n", placement,
                       format_place(placement, result, !plan.arms.front().target.empty()), blocks,
                       blocks == 1 ? "" : "s", least < slices ? fmt::format("{}–", least) : "",
                       slices, slices == 1 ? "" : "s",
                       static_cast<double>(samples.slice.count()) / 1e6,
                       samples.stopped.empty() ? "cut short" : samples.stopped);
}

std::string format_report(const ResultFile& result, const MeasuredCase& measured) {
    const CasePlan& plan = measured.plan;
    Footnotes notes;
    std::string text = format_title(plan) + "\n";
    const bool with_ratio = plan.arms.size() > 1;
    if (with_ratio) {
        for (std::size_t i = 0; i + 1 < result.cases.size(); i += 2) {
            text += format_table(result, {&result.cases[i], &result.cases[i + 1]}, true, notes);
            text += "\n";
        }
    } else if (!result.cases.empty()) {
        Columns columns;
        for (const Case& one : result.cases) columns.push_back(&one);
        text += format_table(result, columns, false, notes) + "\n";
    }
    text += notes.render();
    for (const PlacementSamples& samples : measured.placements) {
        text += format_method(result, plan, samples);
    }
    text += describe_offered_rate(plan);
    return text + fmt::format(
                      "median over blocks of fresh processes, ± the reach of its 95% "
                      "interval; one operation is one {}\n",
                      plan.workload.operation);
}

std::string format_warnings(const ResultFile& result) {
    std::string text;
    std::set<std::string> told;  // once: several cases may have the same
    const auto& warnings = result.warnings;
    for (std::size_t i = 0; i < warnings.size(); ++i) {
        const Warning& warning = warnings[i];
        std::string voided;
        if (warning.grade == Grade::voids && warning.metric) {
            // One finding may void several metrics.
            std::string metrics = *warning.metric;
            while (i + 1 < warnings.size() && is_same_finding(warning, warnings[i + 1])) {
                metrics += ", " + *warnings[++i].metric;
            }
            voided = fmt::format(" (voids {} of {})", metrics, warning.cell.value_or("all"));
        }
        std::string line = fmt::format("{}: {}{}; {}\n", to_string(warning.grade), warning.text,
                                       voided, warning.remedy);
        if (told.insert(line).second) text += line;
    }
    return text;
}

}  // namespace loopbench
