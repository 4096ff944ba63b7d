#include "harness/claims/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "results/table.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

json bound_to_json(double bound) {
    return std::isfinite(bound) ? json(bound) : json();
}

json to_json(const ClaimCell& cell) {
    json one{{"figure", cell.figure},
             {"traits", cell.traits},
             {"value", cell.value ? json(*cell.value) : json()},
             {"ci95", cell.ci95 ? json(*cell.ci95) : json()},
             {"claimed", {bound_to_json(cell.range.low), bound_to_json(cell.range.high)}},
             {"stands", name_of(standing_of(cell))}};
    if (!cell.reason.empty()) one["reason"] = cell.reason;
    return one;
}

json to_json(const std::vector<ClaimCell>& cells) {
    json all = json::array();
    for (const ClaimCell& cell : cells) all.push_back(to_json(cell));
    return all;
}

std::string describe(const ClaimedRange& range) {
    const bool low = std::isfinite(range.low);
    const bool high = std::isfinite(range.high);
    if (low && high && range.low == range.high) return fmt::format("{:.3g}", range.low);
    if (low && high) return fmt::format("{:.3g} to {:.3g}", range.low, range.high);
    if (low) return fmt::format("at least {:.3g}", range.low);
    if (high) return fmt::format("at most {:.3g}", range.high);
    return "";
}

std::string format_value(const ClaimCell& cell, Footnotes& notes) {
    constexpr double many = 100;  // of which nobody wants the hundredths
    if (cell.value && cell.ci95 && *cell.value >= many) {
        return fmt::format("{:.0f} [{:.0f}, {:.0f}]", *cell.value, cell.ci95->low, cell.ci95->high);
    }
    Comparison figure;
    figure.ratio = cell.value;
    figure.ci95 = cell.ci95;
    figure.reason = cell.reason;
    return format_cell(figure, notes);
}

/// The traits in which the cells differ.
std::vector<std::string> varying_traits(const std::vector<ClaimCell>& cells) {
    std::map<std::string, std::set<std::string>> values;
    for (const ClaimCell& cell : cells) {
        for (const auto& [trait, value] : cell.traits) values[trait].insert(value);
    }
    std::vector<std::string> traits;
    for (const auto& [trait, different] : values) {
        // What the first column says already needs no other.
        if (different.size() > 1 && trait != "figure") traits.push_back(trait);
    }
    return traits;
}

std::string format_cells(const std::vector<ClaimCell>& cells, bool judged) {
    const std::vector<std::string> traits = varying_traits(cells);
    std::vector<Table::Column> columns{{"figure", Table::Align::left}};
    for (const std::string& trait : traits) columns.push_back({trait});
    columns.push_back({"value [95%]"});
    if (judged) {
        columns.push_back({"claimed"});
        columns.push_back({"stands", Table::Align::left});
    }
    Table table(std::move(columns));
    Footnotes notes;
    std::string figure;
    for (const ClaimCell& cell : cells) {
        std::vector<std::string> row{cell.figure == figure ? "" : cell.figure};
        figure = cell.figure;
        for (const std::string& trait : traits) {
            const auto value = cell.traits.find(trait);
            row.push_back(value == cell.traits.end() ? "" : value->second);
        }
        row.push_back(format_value(cell, notes));
        if (judged) {
            row.push_back(describe(cell.range));
            row.emplace_back(name_of(standing_of(cell)));
        }
        table.add_row(std::move(row));
    }
    return table.render() + notes.render();
}

}  // namespace

JudgedClaim judge(const Claim& claim, Extent extent, const ClaimEvidence& evidence) {
    JudgedClaim judged;
    judged.claim = &claim;
    judged.cells = claim.cells(extent, evidence);
    if (claim.beside != nullptr) judged.beside = claim.beside(extent, evidence);
    judged.judgement = judge_claim(judged.cells);
    return judged;
}

json to_json(const std::vector<JudgedClaim>& claims) {
    json all = json::array();
    for (const JudgedClaim& judged : claims) {
        const ClaimJudgement& judgement = judged.judgement;
        all.push_back({{"id", judged.claim->id},
                       {"statement", judged.claim->statement},
                       {"source", judged.claim->source},
                       {"meaning", judged.claim->meaning},
                       {"limits", judged.claim->limits},
                       {"verdict", name_of(judgement.verdict)},
                       {"on", judgement.on.empty() ? json() : json(judgement.on)},
                       {"why", judgement.why},
                       {"cells", to_json(judged.cells)},
                       {"beside", to_json(judged.beside)}});
    }
    return all;
}

std::string format_claims(const std::vector<JudgedClaim>& claims) {
    std::string text;
    Table verdicts({{"claim", Table::Align::left},
                    {"verdict", Table::Align::left},
                    {"why", Table::Align::left}});
    for (const JudgedClaim& judged : claims) {
        text += fmt::format("{}: {}\n\n{}\n", judged.claim->id, judged.claim->statement,
                            format_cells(judged.cells, true));
        if (!judged.beside.empty()) text += format_cells(judged.beside, false) + "\n";
        verdicts.add_row({judged.claim->id, std::string(name_of(judged.judgement.verdict)),
                          judged.judgement.why});
    }
    return text + verdicts.render();
}

}  // namespace loopbench
