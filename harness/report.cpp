#include "harness/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/figures.hpp"
#include "harness/quantity.hpp"
#include "results/metrics.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// Why figures are missing, each reason once, numbered for the table.
class Footnotes {
  public:
    /// The mark for `reason`: "¹".
    std::string mark(const std::string& reason) {
        const auto found = std::find(reasons_.begin(), reasons_.end(), reason);
        const auto number = static_cast<std::size_t>(found - reasons_.begin());
        if (found == reasons_.end()) reasons_.push_back(reason);
        return sign(number);
    }

    std::string text() const {
        std::string lines;
        for (std::size_t i = 0; i < reasons_.size(); ++i) {
            lines += fmt::format("{} {}\n", sign(i), reasons_[i]);
        }
        return lines;
    }

  private:
    static std::string sign(std::size_t number) {
        constexpr std::string_view digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
        std::string text;
        for (const char digit : std::to_string(number + 1)) text += digits[digit - '0'];
        return text;
    }

    std::vector<std::string> reasons_;
};

std::string format_figure(const MetricValue& value, Footnotes& notes) {
    if (!value.median) return "–" + notes.mark(value.reason);
    std::string text = format_quantity(*value.median, value.unit);
    if (!value.ci95) return text + "  " + notes.mark(value.reason);
    const double half = (value.ci95->high - value.ci95->low) / 2;
    if (half == 0) return text + "  ±0%";
    if (*value.median == 0) return text;
    const double percent = 100 * half / std::abs(*value.median);
    return fmt::format("{}  ±{:.{}f}%", text, percent, percent < 10 ? 1 : 0);
}

std::string format_ratio(const ResultFile& result, const std::string& placement,
                         std::string_view metric, Footnotes& notes) {
    for (const Comparison& comparison : result.comparisons) {
        if (comparison.placement != placement || comparison.metric != metric) continue;
        if (!comparison.ratio) return "–" + notes.mark(comparison.reason);
        if (!comparison.ci95) {
            return fmt::format("{:.3f}  {}", *comparison.ratio, notes.mark(comparison.reason));
        }
        return fmt::format("{:.3f}  [{:.3f}, {:.3f}]", *comparison.ratio, comparison.ci95->low,
                           comparison.ci95->high);
    }
    return "";
}

/// Characters that a terminal shows: bytes that do not continue a UTF-8 sequence.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char byte) { return (byte & 0xc0) != 0x80; }));
}

/// Rows of cells, the first row the head, the first column to the left and the others to the right.
std::string layout(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string text;
    for (std::size_t line = 0; line < rows.size(); ++line) {
        std::string padded;
        for (std::size_t i = 0; i < rows[line].size(); ++i) {
            const std::string gap(widths[i] - width(rows[line][i]), ' ');
            padded += i == 0 ? rows[line][i] + gap : "   " + gap + rows[line][i];
        }
        text += padded.substr(0, padded.find_last_not_of(' ') + 1) + "\n";
        if (line == 0) {
            std::size_t total = 3 * (widths.size() - 1);
            for (const std::size_t one : widths) total += one;
            for (std::size_t i = 0; i < total; ++i) text += "─";
            text += "\n";
        }
    }
    return text;
}

/// The metrics that a person looks for first; the others are in the result file.
const std::vector<std::string_view>& headline() {
    static const std::vector<std::string_view> metrics{
        "cpu_ns_per_op", "cpu_ns_per_switch", "cpu_ns_per_start", "cpu_ns_per_cancel",
        "cpu_ns_per_expire", "throughput", "bytes_per_second", "task_switches_per_second",
        "latency_p50", "latency_p90", "latency_p99", "latency_p999", "latency_max", "lateness_p50",
        "lateness_p90", "lateness_p99", "lateness_max", "syscalls_per_op", "allocations_per_op",
        "voluntary_switches_per_op", "involuntary_switches_per_op", "ops_per_turn",
        "messages_per_read", "sut_busy", "peak_rss_bytes", "rss_per_connection_bytes",
        "rss_per_timer_bytes"};
    return metrics;
}

/// The cases of a result that stand beside one another: columns.
using Columns = std::vector<const Case*>;

std::vector<std::string> row_of(std::string_view metric, const Columns& columns,
                                Footnotes& notes) {
    std::vector<std::string> row;
    for (const Case* column : columns) {
        const auto value = column->metrics.find(std::string(metric));
        if (value == column->metrics.end()) return {};
        row.push_back(format_figure(value->second, notes));
    }
    return row;
}

std::string format_table(const ResultFile& result, const Columns& columns, bool with_ratio,
                         Footnotes& notes) {
    std::vector<std::vector<std::string>> rows(1);
    rows[0].push_back(with_ratio ? columns.front()->placement : "");
    for (const Case* column : columns) {
        rows[0].push_back(with_ratio ? column->arm : column->placement);
    }
    if (with_ratio) rows[0].push_back("ratio [95%]");
    for (const std::string_view metric : headline()) {
        std::vector<std::string> row = row_of(metric, columns, notes);
        if (row.empty()) continue;
        if (with_ratio) {
            row.push_back(format_ratio(result, columns.front()->placement, metric, notes));
        }
        row.insert(row.begin(), std::string(find_metric(metric)->label));
        rows.push_back(std::move(row));
    }
    return layout(rows);
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
    std::vector<std::string> parameters;
    for (const auto& [name, value] : plan.params.items()) {
        parameters.push_back(
            fmt::format("{} {}", name, value.is_string() ? value.get<std::string>() : value.dump()));
    }
    return fmt::format("{}\n{}\n", title, fmt::join(parameters, " · "));
}

std::string format_method(const ResultFile& result, const CasePlan& plan) {
    std::string text;
    for (const json& one : result.plan.further.value("placements", json::array())) {
        const auto placement = one.at("placement").get<std::string>();
        std::string where = fmt::format("CPU {}", result.plan.cpus.front());
        if (placement == "lockstep") where = "SUT and driver in turns on " + where;
        if (placement == "split") {
            where = fmt::format("SUT on {}, driver on CPU {}", where, result.plan.cpus.back());
        }
        text += fmt::format("{}: {}; {} blocks x {} slices of {:.0f} ms; {}\n", placement, where,
                            one.at("blocks").get<int>(), one.at("slices").get<int>(),
                            one.at("slice_ms").get<double>(),
                            one.at("stopped").get<std::string>());
    }
    return text + fmt::format("median over blocks of fresh processes, ± half its 95% interval; one "
                              "operation is one {}\n",
                              plan.workload.operation);
}

}  // namespace

std::string format_report(const ResultFile& result, const CasePlan& plan) {
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
    return text + notes.text() + format_method(result, plan);
}

std::string format_warnings(const ResultFile& result) {
    std::string text;
    for (const Warning& warning : result.warnings) {
        const std::string voided =
            warning.grade == Grade::voids && warning.metric
                ? fmt::format(" (voids {} of {})", *warning.metric, warning.cell.value_or("all"))
                : "";
        text += fmt::format("{}: {}{}; {}\n", to_string(warning.grade), warning.text, voided,
                            warning.remedy);
    }
    return text;
}

}  // namespace loopbench
