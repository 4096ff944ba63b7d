#include "harness/compare_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "harness/report.hpp"
#include "harness/verdicts.hpp"
#include "results/metrics.hpp"
#include "results/quantity.hpp"
#include "results/table.hpp"
#include "results/verdict.hpp"

namespace loopbench {
namespace {

/// What says at a glance which kind of load the judged figures belong to.
constexpr std::string_view beside[] = {"throughput", "task_switches_per_second", "latency_p99",
                                       "syscalls_per_op", "ops_per_turn"};

const Case* find_case(const ResultFile& result, const CasePlan& plan, std::string_view placement,
                      const std::string& arm) {
    for (const Case& one : result.cases) {
        if (one.workload == plan.workload.name && one.params == plan.params &&
            one.placement == placement && one.arm == arm) {
            return &one;
        }
    }
    return nullptr;
}

const Comparison* find_comparison(const ResultFile& result, const Case& one,
                                  const std::string& metric) {
    for (const Comparison& comparison : result.comparisons) {
        if (comparison.workload == one.workload && comparison.params == one.params &&
            comparison.placement == one.placement && comparison.arm == one.arm &&
            comparison.metric == metric) {
            return &comparison;
        }
    }
    return nullptr;
}

/// "faster", or "unclear ¹" with the reason as a footnote.
std::string format_verdict(const Comparison& comparison, Footnotes& notes) {
    const std::size_t colon = comparison.verdict.find(": ");
    if (colon == std::string::npos) return comparison.verdict;
    std::string why = comparison.verdict.substr(colon + 2);
    if (comparison.adjusted_ci) {
        why += fmt::format(" (there: [{:.3f}, {:.3f}])", comparison.adjusted_ci->low,
                           comparison.adjusted_ci->high);
    }
    return comparison.verdict.substr(0, colon) + " " + notes.mark(why);
}

std::vector<std::string> columns_of(const std::vector<std::string>& judged,
                                    const std::vector<const Case*>& rows) {
    std::vector<std::string> columns;
    for (const std::string_view name : beside) {
        const std::string metric(name);
        const bool is_judged = std::find(judged.begin(), judged.end(), metric) != judged.end();
        const bool known = std::any_of(rows.begin(), rows.end(), [&](const Case* row) {
            const auto value = row->metrics.find(metric);
            return value != row->metrics.end() && value->second.median;
        });
        if (!is_judged && known) columns.push_back(metric);
    }
    return columns;
}

std::string format_table(const ResultFile& result, const MeasuredCase& measured,
                         const PlacementSamples& samples, const std::vector<std::string>& metrics,
                         Footnotes& notes) {
    const CasePlan& plan = measured.plan;
    const std::string placement(name_of(samples.placement));
    std::vector<const Case*> rows;
    for (const ReadyArm& arm : plan.arms) {
        if (const Case* row = find_case(result, plan, placement, arm.spec.id)) rows.push_back(row);
    }
    const std::vector<std::string> judged = judged_metrics(metrics, plan, samples.placement);
    const std::vector<std::string> columns = columns_of(judged, rows);
    std::vector<Table::Column> heads{{placement, Table::Align::left}};
    for (const std::string& metric : judged) {
        heads.push_back({std::string(find_metric(metric)->label)});
        heads.push_back({"ratio [95%]"});
        heads.push_back({"verdict", Table::Align::left});
    }
    for (const std::string& metric : columns) {
        heads.push_back({std::string(find_metric(metric)->label)});
    }
    Table table(std::move(heads));
    const auto cell = [&](const Case& row, const std::string& metric) -> std::string {
        const auto value = row.metrics.find(metric);
        if (value == row.metrics.end()) return "";
        // What is beside the point is given without its uncertainty, to keep the table narrow.
        return value->second.median
                   ? format_quantity(*value->second.median, value->second.unit, value->second.ci95)
                   : "—" + notes.mark(value->second.reason);
    };
    for (const Case* row : rows) {
        std::vector<std::string> words{row->arm};
        const bool is_reference = row->arm == plan.arms[*plan.reference].spec.id;
        for (const std::string& metric : judged) {
            const auto value = row->metrics.find(metric);
            words.push_back(value == row->metrics.end() ? "" : format_cell(value->second, notes));
            const Comparison* comparison = find_comparison(result, *row, metric);
            words.push_back(comparison != nullptr ? format_cell(*comparison, notes)
                            : is_reference        ? "1"
                                                  : "");
            words.push_back(comparison != nullptr ? format_verdict(*comparison, notes)
                            : is_reference        ? "reference"
                                                  : "");
        }
        for (const std::string& metric : columns) words.push_back(cell(*row, metric));
        table.add_row(std::move(words));
    }
    for (const auto& [arm, why] : plan.not_offered) {
        table.add_row({arm, "not offered " + notes.mark(fmt::format("{} {}", arm, why))});
    }
    return table.render();
}

std::string duration(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", seconds);
    return fmt::format("{:.0f} min {:02.0f} s", std::floor(seconds / 60), std::fmod(seconds, 60));
}

std::string format_margins() {
    return fmt::format(
        "faster, slower: the 95% interval lies beyond ±{:.1f}%; tie: it lies within the metric's "
        "margin (for processor time 1.5%, or in process 1 ns, unless --margin says otherwise); "
        "both hold for the whole table (Holm)\n",
        100 * log_indifference);
}

}  // namespace

std::string format_plan(const std::vector<CasePlan>& plans, std::size_t cells,
                        const Settings& settings) {
    std::size_t most_arms = 0;
    for (const CasePlan& plan : plans) most_arms = std::max(most_arms, plan.arms.size());
    const double budget = std::chrono::duration<double>(settings.budget).count();
    return fmt::format(
        "plan: {} case{} of up to {} arms, at most {} each, {} in all; seed {}\n"
        "plan: {} ratio{} to judge; the surest of them needs {} blocks\n",
        plans.size(), plans.size() == 1 ? "" : "s", most_arms, duration(budget),
        duration(budget * static_cast<double>(plans.size())), settings.seed, cells,
        cells == 1 ? "" : "s", std::max(blocks_for_an_interval, blocks_for_verdicts(cells)));
}

std::string format_comparison(const ResultFile& result, const std::deque<MeasuredCase>& cases,
                              const std::vector<std::string>& metrics) {
    Footnotes notes;
    std::string text;
    for (const MeasuredCase& measured : cases) {
        text += fmt::format("{}: {}\n{}\n\n", measured.plan.workload.name,
                            measured.plan.workload.summary, format_parameters(measured.plan));
        for (const PlacementSamples& samples : measured.placements) {
            text += format_table(result, measured, samples, metrics, notes);
            text += format_method(result, measured.plan, samples) + "\n";
        }
    }
    text += notes.render() + format_margins();
    if (text.find("not sure enough") != std::string::npos) {
        text +=
            "not sure enough: the more cells a table has, the more blocks each of them needs; give "
            "a "
            "longer --budget, or fewer arms\n";
    }
    return text;
}

}  // namespace loopbench
