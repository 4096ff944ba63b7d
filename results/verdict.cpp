#include "results/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

#include "results/statistics.hpp"

namespace loopbench {
namespace {

constexpr double table_alpha = 0.05;

/// Twice the one-sided p-value: what belongs to the ends of a two-sided interval.
double end_p_value(std::span<const double> log_ratios, double shift, Alternative alternative) {
    return std::min(1.0, 2 * signed_rank_p_value(log_ratios, shift, alternative));
}

double tie_p_value(const Evidence& cell) {
    return std::max(end_p_value(cell.log_ratios, cell.log_margin, Alternative::less),
                    end_p_value(cell.log_ratios, -cell.log_margin, Alternative::greater));
}

double difference_p_value(const Evidence& cell) {
    return std::min(end_p_value(cell.log_ratios, log_indifference, Alternative::greater),
                    end_p_value(cell.log_ratios, -log_indifference, Alternative::less));
}

/// Of the cells with evidence, one kind of claim: its p-values, plain and adjusted.
struct Family {
    std::vector<double> p;
    std::vector<double> adjusted;
    double confidence = 0;  ///< of the intervals of those that Holm's method does not reject
};

template <typename PValue>
Family make_family(std::span<const Evidence* const> cells, PValue p_value) {
    Family family;
    for (const Evidence* cell : cells) family.p.push_back(p_value(*cell));
    family.adjusted = holm(family.p);
    const auto open = std::count_if(family.adjusted.begin(), family.adjusted.end(),
                                    [](double p) { return p > table_alpha; });
    family.confidence = 1 - table_alpha / static_cast<double>(std::max<std::ptrdiff_t>(open, 1));
    return family;
}

Judgement judge_cell(const Evidence& cell, std::size_t index, const Family& ties,
                     const Family& differences) {
    const auto interval = signed_rank_interval(cell.log_ratios, 1 - table_alpha);
    if (!interval) {
        return {.verdict = fmt::format("unclear: {} of the {} blocks that a 95% interval needs",
                                       cell.log_ratios.size(),
                                       signed_rank_values_needed(1 - table_alpha))};
    }
    const bool tie = -cell.log_margin <= interval->low && interval->high <= cell.log_margin;
    const bool slower = interval->low > log_indifference;
    const bool faster = interval->high < -log_indifference;
    if (!tie && !slower && !faster) return {.verdict = "unclear"};

    const Family& family = tie ? ties : differences;
    Judgement judgement{.verdict = tie      ? "tie"
                                   : slower ? "slower"
                                            : "faster",
                        .p = family.p[index],
                        .adjusted_p = family.adjusted[index]};
    if (judgement.adjusted_p > table_alpha) {
        judgement.verdict = fmt::format("unclear: not sure enough among {} cells", family.p.size());
        judgement.adjusted = signed_rank_interval(cell.log_ratios, family.confidence);
    }
    return judgement;
}

}  // namespace

std::vector<Judgement> judge(std::span<const Evidence> cells) {
    std::vector<const Evidence*> judged;
    for (const Evidence& cell : cells) {
        if (cell.doubt.empty()) judged.push_back(&cell);
    }
    const Family ties = make_family(judged, tie_p_value);
    const Family differences = make_family(judged, difference_p_value);
    std::vector<Judgement> judgements;
    std::size_t index = 0;
    for (const Evidence& cell : cells) {
        judgements.push_back(cell.doubt.empty() ? judge_cell(cell, index++, ties, differences)
                                                : Judgement{.verdict = "unclear: " + cell.doubt});
    }
    return judgements;
}

int blocks_for_verdicts(std::size_t cells) {
    assert(cells > 0);
    int blocks = 1;
    while (std::ldexp(1.0, 1 - blocks) > table_alpha / static_cast<double>(cells)) ++blocks;
    return blocks;
}

bool has_rare_costs(std::span<const double> gaps, double log_margin) {
    if (gaps.size() < static_cast<std::size_t>(signed_rank_values_needed(1 - table_alpha))) {
        return false;
    }
    const auto n = static_cast<double>(gaps.size());
    const double mean = std::accumulate(gaps.begin(), gaps.end(), 0.0) / n;
    const double reach = quantile(complement(boost::math::students_t(n - 1), table_alpha / 2)) *
                         standard_deviation(gaps) / std::sqrt(n);
    return mean - reach > log_margin / 2 || mean + reach < -log_margin / 2;
}

}  // namespace loopbench
