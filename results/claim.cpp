#include "results/claim.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace loopbench {
namespace {

using Counts = std::map<Standing, std::size_t>;

Counts count_standings(std::span<const ClaimCell> cells) {
    Counts counts;
    for (const ClaimCell& cell : cells) ++counts[standing_of(cell)];
    return counts;
}

std::size_t of(const Counts& counts, Standing standing) {
    const auto found = counts.find(standing);
    return found == counts.end() ? 0 : found->second;
}

/// The decided cells, by the values of a trait.
std::map<std::string, Counts> by_value(std::span<const ClaimCell> cells, const std::string& trait) {
    std::map<std::string, Counts> groups;
    for (const ClaimCell& cell : cells) {
        const Standing standing = standing_of(cell);
        const auto value = cell.traits.find(trait);
        if (standing == Standing::open || value == cell.traits.end()) continue;
        ++groups[value->second][standing];
    }
    return groups;
}

/// How many decided cells stand unlike most of those with the same value of the trait.
std::size_t count_unexplained(const std::map<std::string, Counts>& groups) {
    std::size_t unexplained = 0;
    for (const auto& [value, counts] : groups) {
        std::size_t all = 0;
        std::size_t most = 0;
        for (const auto& [standing, count] : counts) {
            all += count;
            most = std::max(most, count);
        }
        unexplained += all - most;
    }
    return unexplained;
}

/// The trait that tells the standings apart best. Of equal ones that with the fewest values: a
/// trait of which each cell has another explains everything and nothing.
std::string deciding_trait(std::span<const ClaimCell> cells) {
    std::set<std::string> traits;
    Counts all;
    std::size_t decided = 0;
    for (const ClaimCell& cell : cells) {
        for (const auto& [trait, value] : cell.traits) traits.insert(trait);
        if (standing_of(cell) == Standing::open) continue;
        ++all[standing_of(cell)];
        ++decided;
    }
    std::size_t least = decided;
    for (const auto& [standing, count] : all) least = std::min(least, decided - count);
    std::size_t fewest_values = 0;
    std::string best;
    for (const std::string& trait : traits) {
        const auto groups = by_value(cells, trait);
        const std::size_t unexplained = count_unexplained(groups);
        const bool better = unexplained < least || (unexplained == least && !best.empty() &&
                                                    groups.size() < fewest_values);
        if (!better) continue;
        best = trait;
        least = unexplained;
        fewest_values = groups.size();
    }
    return best;
}

/// "size 64, 512: within; size 4096: against", the values in numeric order where they are numbers.
std::string describe_groups(const std::string& trait, const std::map<std::string, Counts>& groups) {
    std::vector<std::string> values;
    for (const auto& [value, counts] : groups) values.push_back(value);
    const auto number = [](const std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        return end != text.c_str() ? value : std::numeric_limits<double>::infinity();
    };
    std::stable_sort(values.begin(), values.end(),
                     [&](const auto& a, const auto& b) { return number(a) < number(b); });
    std::map<Standing, std::vector<std::string>> parts;
    for (const std::string& value : values) {
        const Counts& counts = groups.at(value);
        const auto most =
            std::max_element(counts.begin(), counts.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        const bool all = counts.size() == 1;
        parts[most->first].push_back(all ? value : value + " (mostly)");
    }
    std::vector<std::string> texts;
    for (const auto& [standing, members] : parts) {
        texts.push_back(
            fmt::format("{} {}: {}", trait, fmt::join(members, ", "), name_of(standing)));
    }
    return fmt::format("{}", fmt::join(texts, "; "));
}

std::string describe_counts(const Counts& counts, std::size_t all) {
    std::vector<std::string> parts;
    for (const Standing standing :
         {Standing::within, Standing::beyond, Standing::against, Standing::open}) {
        const std::size_t count = of(counts, standing);
        if (count > 0) parts.push_back(fmt::format("{} {}", count, name_of(standing)));
    }
    return fmt::format("of {} figure{}: {}", all, all == 1 ? "" : "s", fmt::join(parts, ", "));
}

}  // namespace

std::string_view name_of(Standing standing) {
    switch (standing) {
        case Standing::within:
            return "within";
        case Standing::beyond:
            return "beyond";
        case Standing::against:
            return "against";
        default:
            return "open";
    }
}

std::string_view name_of(ClaimVerdict verdict) {
    switch (verdict) {
        case ClaimVerdict::confirmed:
            return "confirmed";
        case ClaimVerdict::refuted:
            return "refuted";
        case ClaimVerdict::exceeded:
            return "exceeded";
        case ClaimVerdict::depends:
            return "depends";
        default:
            return "unclear";
    }
}

Standing standing_of(const ClaimCell& cell) {
    if (!cell.value || !cell.ci95) return Standing::open;
    const Interval& interval = *cell.ci95;
    if (interval.low >= cell.range.low && interval.high <= cell.range.high) {
        return Standing::within;
    }
    const bool bounded_below = std::isfinite(cell.range.low);
    if (interval.high < cell.range.low) return Standing::against;
    if (interval.low > cell.range.high) {
        return bounded_below ? Standing::beyond : Standing::against;
    }
    return Standing::open;
}

ClaimJudgement judge_claim(std::span<const ClaimCell> cells) {
    ClaimJudgement judgement;
    judgement.counts = count_standings(cells);
    if (cells.empty()) {
        judgement.why = "nothing was measured";
        return judgement;
    }
    const std::string counts = describe_counts(judgement.counts, cells.size());
    const auto enough = [&](Standing standing) {
        return static_cast<double>(of(judgement.counts, standing)) >=
               share_for_a_verdict * static_cast<double>(cells.size());
    };
    judgement.why = counts;
    if (enough(Standing::within)) {
        judgement.verdict = ClaimVerdict::confirmed;
    } else if (enough(Standing::beyond)) {
        judgement.verdict = ClaimVerdict::exceeded;
    } else if (enough(Standing::against)) {
        judgement.verdict = ClaimVerdict::refuted;
    } else if (judgement.counts.size() - judgement.counts.count(Standing::open) > 1) {
        judgement.verdict = ClaimVerdict::depends;
        judgement.on = deciding_trait(cells);
        if (!judgement.on.empty()) {
            judgement.why = fmt::format(
                "{} ({})", describe_groups(judgement.on, by_value(cells, judgement.on)), counts);
        }
    }
    return judgement;
}

}  // namespace loopbench
