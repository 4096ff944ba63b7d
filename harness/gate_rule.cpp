#include "harness/gate_rule.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "harness/checks.hpp"
#include "harness/verdicts.hpp"
#include "results/statistics.hpp"
#include "results/verdict.hpp"

namespace loopbench {

GateRule::GateRule(const CasePlan& plan, std::vector<JudgedCell*> cells, std::size_t all)
    : plan_(plan),
      cells_(std::move(cells)),
      all_(all),
      least_blocks_(std::max(blocks_for_an_interval, blocks_for_regression(all, 1))) {}

std::vector<int> GateRule::looks(int most) {
    looks_ = plan_looks(most, all_);
    return looks_.blocks;
}

std::string GateRule::look(const PlacementSamples& samples) {
    look_with(samples, looks_.weights.at(looked_));
    const bool settled = std::all_of(cells_.begin(), cells_.end(), [&](const JudgedCell* cell) {
        // A doubt may go with more blocks; no other obstacle does.
        if (!cell->cannot.empty()) return cell->cannot != rare_costs;
        return cell->evidence && cell->evidence->settled(all_);
    });
    return settled ? "everything was decided" : "";
}

void GateRule::conclude(const PlacementSamples& samples) {
    const std::size_t judged = *plan_.reference == 0 ? 1 : 0;
    for (JudgedCell* cell : cells_) {
        const std::string why = why_not_gated(plan_, samples, judged, cell->metric);
        if (!why.empty()) cell->cannot = why;
    }
    if (looked_ >= looks_.weights.size() || samples.whole_blocks() == last_blocks_) return;
    const auto first_left = looks_.weights.begin() + static_cast<std::ptrdiff_t>(looked_);
    look_with(samples, std::min(1.0, std::accumulate(first_left, looks_.weights.end(), 0.0)));
}

void GateRule::look_with(const PlacementSamples& samples, double weight) {
    ++looked_;
    last_blocks_ = samples.whole_blocks();
    for (JudgedCell* cell : cells_) {
        const std::size_t judged = *plan_.reference == 0 ? 1 : 0;
        cell->cannot = why_not_gated(plan_, samples, judged, cell->metric);
        if (!cell->cannot.empty()) continue;
        if (cell->evidence && cell->evidence->settled(all_)) continue;
        WorseRatios ratios = worse_ratios(plan_, samples, cell->metric, cell->margin, judged);
        if (ratios.log_ratios.empty()) {
            cell->cannot = "no block in which both builds have this figure";
            continue;
        }
        if (ratios.rare_costs) {
            cell->cannot = rare_costs;
            continue;
        }
        cell->log_ratios = std::move(ratios.log_ratios);
        cell->shown = std::move(ratios.shown);
        cell->merged = ratios.merged;
        if (!cell->evidence) {
            cell->level = ratios.level;
            cell->evidence.emplace(log_margin(cell->margin, cell->level));
        }
        cell->evidence->look(cell->log_ratios, weight);
    }
}

void decide_cells(std::vector<JudgedCell>& cells) {
    std::vector<JudgedCell*> judged;
    std::vector<GateCell> evidence;
    for (JudgedCell& cell : cells) {
        if (!cell.cannot.empty() || !cell.evidence) continue;
        judged.push_back(&cell);
        evidence.push_back(*cell.evidence);
    }
    const std::vector<Decision> decisions = decide(evidence);
    for (std::size_t i = 0; i < judged.size(); ++i) {
        JudgedCell& cell = *judged[i];
        cell.decision = decisions[i];
        const auto interval = signed_rank_interval(cell.log_ratios);
        cell.improved =
            cell.decision == Decision::pass && interval && interval->high < -log_indifference;
    }
}

std::optional<CellRatio> ratio_of(const JudgedCell& cell) {
    if (cell.log_ratios.empty()) return std::nullopt;
    std::vector<double> ratios = cell.shown;
    if (ratios.empty()) {
        const bool turned = find_metric(cell.metric)->better == Better::higher;
        for (const double ratio : cell.log_ratios) ratios.push_back(turned ? -ratio : ratio);
    }
    const RatioEstimate estimate = ratio_interval(ratios);
    CellRatio result{estimate.ratio, std::nullopt};
    if (estimate.interval) result.ci95 = *estimate.interval;
    return result;
}

}  // namespace loopbench
