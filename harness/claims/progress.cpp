#include "harness/claims/progress.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace loopbench {
namespace {

using nlohmann::json;

json noted(const ResultFile& result) {
    const json progress = result.plan.further.value("claims", json::object());
    return progress.value("measured", json::array());
}

MeasuredRows rows_of(const json& entry) {
    const auto number = [&](const char* of, std::size_t which) {
        return entry.at(of).at(which).get<std::size_t>();
    };
    return {number("cases", 0), number("cases", 1), number("comparisons", 0),
            number("comparisons", 1)};
}

/// Whether all of them are there: a file may have been changed by hand.
bool fits(const MeasuredRows& rows, std::size_t cases, std::size_t comparisons) {
    return rows.first_case <= rows.end_case && rows.end_case <= cases &&
           rows.first_comparison <= rows.end_comparison && rows.end_comparison <= comparisons;
}

template <class Row>
void move_rows(std::vector<Row>& from, std::size_t first, std::size_t end, std::vector<Row>& to) {
    const auto begin = from.begin();
    std::move(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(end),
              std::back_inserter(to));
}

}  // namespace

json new_progress(const std::vector<const Claim*>& claims, Extent extent) {
    json ids = json::array();
    for (const Claim* claim : claims) ids.push_back(claim->id);
    return {{"extent", name_of(extent)}, {"claims", ids}, {"measured", json::array()}};
}

bool is_of_the_same(const ResultFile& result, const json& progress) {
    const json begun = result.plan.further.value("claims", json::object());
    return begun.value("extent", "") == progress.at("extent") &&
           begun.value("claims", json()) == progress.at("claims");
}

void note_measured(ResultFile& result, const std::string& key, std::size_t first_case,
                   std::size_t first_comparison, bool whole) {
    result.plan.further["claims"]["measured"].push_back(
        {{"key", key},
         {"whole", whole},
         {"cases", {first_case, result.cases.size()}},
         {"comparisons", {first_comparison, result.comparisons.size()}}});
}

std::optional<MeasuredRows> measured_rows(const ResultFile& result, const std::string& key) {
    for (const json& entry : noted(result)) {
        if (entry.at("key") != key) continue;
        const MeasuredRows rows = rows_of(entry);
        const bool there = fits(rows, result.cases.size(), result.comparisons.size());
        return there ? std::optional(rows) : std::nullopt;
    }
    return std::nullopt;
}

void drop_unfinished(ResultFile& result) {
    const json before = noted(result);
    std::vector<Case> cases = std::exchange(result.cases, {});
    std::vector<Comparison> comparisons = std::exchange(result.comparisons, {});
    result.plan.further["claims"]["measured"] = json::array();
    for (const json& entry : before) {
        const MeasuredRows rows = rows_of(entry);
        if (!entry.at("whole").get<bool>() || !fits(rows, cases.size(), comparisons.size())) {
            continue;
        }
        const std::size_t first_case = result.cases.size();
        const std::size_t first_comparison = result.comparisons.size();
        move_rows(cases, rows.first_case, rows.end_case, result.cases);
        move_rows(comparisons, rows.first_comparison, rows.end_comparison, result.comparisons);
        note_measured(result, entry.at("key").get<std::string>(), first_case, first_comparison,
                      true);
    }
}

std::size_t count_measured(const ResultFile& result) {
    return noted(result).size();
}

}  // namespace loopbench
