#include "harness/gate_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/workload_parameters.hpp"
#include "results/metrics.hpp"
#include "results/statistics.hpp"
#include "results/table.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

std::string format_percent(double log_value) {
    return fmt::format("{:.3g}%", 100 * std::expm1(log_value));
}

/// The case, with the parameters that are not the usual ones.
std::string case_of(const JudgedCell& cell) {
    std::string text = fmt::format("{} on {}", cell.workload, cell.arm);
    const json usual = resolve_parameters(find_workload("--workloads", cell.workload), {});
    for (const auto& [name, value] : cell.params.items()) {
        // All connections carry traffic unless it is said otherwise.
        if (name == "active" && value == cell.params.value("connections", json())) continue;
        if (value == usual.value(name, json())) continue;
        text += fmt::format(", {} {}", name,
                            value.is_string() ? value.get<std::string>() : value.dump());
    }
    return text;
}

std::string label_of(const JudgedCell& cell) {
    return std::string(find_metric(cell.metric)->label);
}

std::string format_ratio(const JudgedCell& cell) {
    const auto ratio = ratio_of(cell);
    if (!ratio) return "—";
    if (!ratio->ci95) return fmt::format("{:.3f}", ratio->ratio);
    return fmt::format("{:.3f} [{:.3f}, {:.3f}]", ratio->ratio, ratio->ci95->low,
                       ratio->ci95->high);
}

std::string format_margin(const JudgedCell& cell) {
    if (!cell.evidence) return fmt::format("{:.3g}%", 100 * cell.margin.relative);
    return format_percent(cell.evidence->log_margin());
}

std::string format_decision(const JudgedCell& cell) {
    if (!cell.wanted && !cell.cannot.empty()) return "not judged: " + cell.cannot;
    std::string text(to_string(cell.decision));
    if (cell.improved) text += ", improved";
    if (!cell.cannot.empty()) text += ": " + cell.cannot;
    return text;
}

/// The figures that decided, in a sentence, for the cells of one decision.
std::string explain(const std::vector<JudgedCell>& cells, Decision decision) {
    std::string text;
    for (const JudgedCell& cell : cells) {
        if (cell.decision != decision || (!cell.wanted && !cell.cannot.empty())) continue;
        text += fmt::format("{}{}, {}: {}", text.empty() ? "" : "; ", case_of(cell), label_of(cell),
                            cell.cannot.empty() ? "ratio " + format_ratio(cell) : cell.cannot);
    }
    return text;
}

std::string headline(const GateForm& form, const std::vector<JudgedCell>& cells) {
    const Decision decision = overall(cells);
    switch (decision) {
        case Decision::regression:
            return fmt::format("REGRESSION against {}: {}", form.reference,
                               explain(cells, decision));
        case Decision::inconclusive:
            return fmt::format("INCONCLUSIVE against {}: {}", form.reference,
                               explain(cells, decision));
        case Decision::pass:
            break;
    }
    const auto improved = std::count_if(cells.begin(), cells.end(),
                                        [](const JudgedCell& cell) { return cell.improved; });
    return fmt::format("PASS: no cell is worse than {} by more than its margin{}", form.reference,
                       improved > 0 ? fmt::format("; {} improved", improved) : "");
}

}  // namespace

Decision overall(const std::vector<JudgedCell>& cells) {
    const auto any = [&](Decision decision) {
        return std::any_of(cells.begin(), cells.end(), [&](const JudgedCell& cell) {
            return cell.decision == decision && (cell.wanted || cell.cannot.empty());
        });
    };
    if (any(Decision::regression)) return Decision::regression;
    return any(Decision::inconclusive) ? Decision::inconclusive : Decision::pass;
}

std::string format_gate(const GateForm& form, const std::vector<JudgedCell>& cells) {
    using Align = Table::Align;
    Table table({{"case", Align::left},
                 {"metric", Align::left},
                 {"ratio [95%]"},
                 {"margin"},
                 {"p worse"},
                 {"p not worse"},
                 {"decision", Align::left}});
    for (const JudgedCell& cell : cells) {
        table.add_row({case_of(cell), label_of(cell), format_ratio(cell), format_margin(cell),
                       cell.evidence ? fmt::format("{:.2g}", cell.evidence->regression_p()) : "—",
                       cell.evidence ? fmt::format("{:.2g}", cell.evidence->pass_p()) : "—",
                       format_decision(cell)});
    }
    return headline(form, cells) + "\n\n" + table.render();
}

std::string format_gate_markdown(const GateForm& form, const std::vector<JudgedCell>& cells) {
    std::string text = fmt::format("**loopbench gate: {}**\n\n", headline(form, cells));
    text += "| case | metric | ratio [95%] | margin | decision |\n|---|---|---|---|---|\n";
    for (const JudgedCell& cell : cells) {
        text += fmt::format("| {} | {} | {} | {} | {} |\n", case_of(cell), label_of(cell),
                            format_ratio(cell), format_margin(cell), format_decision(cell));
    }
    text += fmt::format(
        "\nA ratio is this build over {}. The chance of any false REGRESSION is below {:.0f}%, "
        "that of "
        "any false PASS below {:.0f}%.\n",
        form.reference, 100 * regression_alpha, 100 * pass_alpha);
    return text;
}

json gate_json(const GateForm& form, const std::vector<JudgedCell>& cells) {
    json all = json::array();
    for (const JudgedCell& cell : cells) {
        json one{{"workload", cell.workload},
                 {"params", cell.params},
                 {"placement", name_of(cell.placement)},
                 {"metric", cell.metric},
                 {"arm", cell.arm},
                 {"reference", cell.reference},
                 {"decision", to_string(cell.decision)},
                 {"improved", cell.improved},
                 {"n", cell.log_ratios.size()},
                 {"merged", cell.merged},
                 {"ratio", nullptr},
                 {"ci95", nullptr},
                 {"margin", nullptr},
                 {"p_worse", nullptr},
                 {"p_not_worse", nullptr}};
        if (const auto ratio = ratio_of(cell)) {
            one["ratio"] = ratio->ratio;
            if (ratio->ci95) one["ci95"] = *ratio->ci95;
        }
        if (cell.evidence) {
            one["margin"] = std::expm1(cell.evidence->log_margin());
            one["p_worse"] = std::min(1.0, cell.evidence->regression_p());
            one["p_not_worse"] = std::min(1.0, cell.evidence->pass_p());
        }
        if (!cell.cannot.empty()) one["reason"] = cell.cannot;
        all.push_back(std::move(one));
    }
    return {{"form", form.name},
            {"reference", form.reference},
            {"decision", to_string(overall(cells))},
            {"inconclusive", form.inconclusive},
            {"alpha", {{"regression", regression_alpha}, {"pass", pass_alpha}}},
            {"cells", std::move(all)}};
}

namespace {

/// Of one cell; nothing while it has fewer than two blocks.
struct Detected {
    double sd = 0;
    double slowdown = 0;
    std::optional<int> blocks_for_margin;
};

std::optional<Detected> detect(const Detection& detection, std::size_t cells) {
    const JudgedCell& cell = *detection.cell;
    if (cell.log_ratios.size() < 2 || !cell.evidence) return std::nullopt;
    Detected found;
    found.sd = standard_deviation(cell.log_ratios);
    const int unit = cell.merged ? 2 : 1;  // blocks in a value
    const double weight = plan_looks(detection.blocks, cells).weights.back();
    const double margin = cell.evidence->log_margin();
    found.slowdown = detectable_slowdown(found.sd, detection.blocks / unit, cells, weight, margin);
    found.blocks_for_margin = blocks_for_margin(found.sd, cells, weight, margin);
    if (found.blocks_for_margin) *found.blocks_for_margin *= unit;
    return found;
}

}  // namespace

std::string format_detection(const std::vector<Detection>& detections, std::size_t cells) {
    using Align = Table::Align;
    Table table({{"case", Align::left},
                 {"metric", Align::left},
                 {"scatter of a block"},
                 {"smallest slowdown found"},
                 {"for the margin"}});
    for (const Detection& one : detections) {
        const auto found = detect(one, cells);
        if (!found) continue;
        table.add_row(
            {case_of(*one.cell), label_of(*one.cell), fmt::format("{:.2f}%", 100 * found->sd),
             std::isfinite(found->slowdown)
                 ? fmt::format("{:.2f}% in {} blocks", 100 * (found->slowdown - 1), one.blocks)
                 : fmt::format("none in {} blocks", one.blocks),
             found->blocks_for_margin
                 ? fmt::format("{} blocks, {:.0f} s", *found->blocks_for_margin,
                               *found->blocks_for_margin * one.block_seconds)
                 : "—"});
    }
    return "\nWhat a gate can find here, with a probability of 95%. \"For the margin\": to find a "
           "slowdown "
           "of twice\nthe margin, and to pass a build that has not changed.\n\n" +
           table.render();
}

json detection_json(const std::vector<Detection>& detections, std::size_t cells) {
    json all = json::array();
    for (const Detection& one : detections) {
        const auto found = detect(one, cells);
        if (!found) continue;
        json entry{{"workload", one.cell->workload},
                   {"params", one.cell->params},
                   {"placement", name_of(one.cell->placement)},
                   {"arm", one.cell->arm},
                   {"metric", one.cell->metric},
                   {"block_sd", found->sd},
                   {"blocks", one.blocks},
                   {"block_s", one.block_seconds},
                   {"power", 0.95},
                   {"smallest_slowdown", nullptr},
                   {"blocks_for_margin", nullptr}};
        if (std::isfinite(found->slowdown)) entry["smallest_slowdown"] = found->slowdown - 1;
        if (found->blocks_for_margin) entry["blocks_for_margin"] = *found->blocks_for_margin;
        all.push_back(std::move(entry));
    }
    return all;
}

}  // namespace loopbench
