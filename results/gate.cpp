#include "results/gate.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "results/statistics.hpp"

namespace loopbench {
namespace {

double standard_normal_quantile(double probability) {
    return quantile(boost::math::normal(), probability);
}

/// What it takes to find a true value at some distance with probability `power` by a one-sided
/// signed-rank test at `alpha`. The squared distance, in standard deviations of a block, times
/// (n - lost_blocks) must reach `squared_reach`: the sample size of a t-test (Guenther 1981,
/// American Statistician 35, 243–244) over the efficiency of the signed-rank test for normal
/// values, 3/π (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, chapter 3).
struct Requirement {
    double squared_reach = 0;
    double lost_blocks = 0;
};

Requirement requirement(double alpha, double power) {
    const double level = standard_normal_quantile(1 - alpha);
    const double reach = level + standard_normal_quantile(power);
    constexpr double efficiency = 3 / std::numbers::pi;
    return {reach * reach / efficiency, level * level / 2};
}

double share_of(double alpha, std::size_t cells, double weight) {
    assert(cells > 0 && weight > 0 && weight <= 1);
    return alpha * weight / static_cast<double>(cells);
}

/// The last look takes two fifths of the chance, or all when it is the only one, and the others
/// share the rest.
std::vector<double> look_weights(int looks) {
    if (looks == 1) return {1.0};
    constexpr double last = 0.4;
    std::vector<double> weights(static_cast<std::size_t>(looks), (1 - last) / (looks - 1));
    weights.back() = last;
    return weights;
}

}  // namespace

std::string_view to_string(Decision decision) {
    switch (decision) {
        case Decision::pass:
            return "PASS";
        case Decision::regression:
            return "REGRESSION";
        case Decision::inconclusive:
            break;
    }
    return "INCONCLUSIVE";
}

int blocks_for_regression(std::size_t cells, double weight) {
    const double level = share_of(regression_alpha, cells, weight);
    int blocks = 1;
    while (std::ldexp(1.0, -blocks) > level) ++blocks;
    return blocks;
}

Looks plan_looks(int most, std::size_t cells) {
    // A quarter more than the least, so that one block on the other side does not spoil the first
    // look; then by equal ratios, of at least 1.3 since more looks than that only cost weight.
    constexpr double reserve = 1.25;
    constexpr double least_ratio = 1.3;
    for (int looks = 4; looks > 1; --looks) {
        Looks plan{{}, look_weights(looks)};
        const double first =
            std::ceil(reserve * blocks_for_regression(cells, plan.weights.front()));
        const double ratio = std::pow(most / first, 1.0 / (looks - 1));
        if (ratio < least_ratio) continue;
        for (int i = 0; i < looks; ++i) {
            plan.blocks.push_back(static_cast<int>(std::lround(first * std::pow(ratio, i))));
        }
        return plan;
    }
    return {{most}, look_weights(1)};
}

void GateCell::look(std::span<const double> log_ratios, double weight) {
    assert(weight > 0 && weight <= 1);
    const auto weighted = [&](Alternative alternative) {
        return signed_rank_p_value(log_ratios, log_margin_, alternative) / weight;
    };
    regression_p_ = std::min(regression_p_, weighted(Alternative::greater));
    pass_p_ = std::min(pass_p_, weighted(Alternative::less));
}

void GateCell::look_once(double regression_p, double pass_p) {
    regression_p_ = std::min(regression_p_, regression_p);
    pass_p_ = std::min(pass_p_, pass_p);
}

bool GateCell::settled(std::size_t cells) const {
    // Holm's adjusted p-value lies between the plain one and the one times all cells.
    const auto surely = [&](double p, double alpha) {
        return p * static_cast<double>(cells) <= alpha;
    };
    const bool surely_worse = surely(regression_p_, regression_alpha);
    const bool surely_not = surely(pass_p_, pass_alpha);
    const bool maybe_worse = regression_p_ <= regression_alpha;
    const bool maybe_not = pass_p_ <= pass_alpha;
    return (surely_worse && surely_not) || (surely_worse && !maybe_not) ||
           (surely_not && !maybe_worse);
}

std::vector<Decision> decide(std::span<const GateCell> cells) {
    std::vector<double> regression;
    std::vector<double> pass;
    for (const GateCell& cell : cells) {
        regression.push_back(cell.regression_p());
        pass.push_back(cell.pass_p());
    }
    regression = holm(regression);
    pass = holm(pass);
    std::vector<Decision> decisions(cells.size(), Decision::inconclusive);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const bool worse = regression[i] <= regression_alpha;
        const bool not_worse = pass[i] <= pass_alpha;
        if (worse && !not_worse) decisions[i] = Decision::regression;
        if (not_worse && !worse) decisions[i] = Decision::pass;
    }
    return decisions;
}

SittingTest test_sitting(std::span<const double> old_sittings, double now, double log_margin) {
    if (old_sittings.size() < least_sittings) return {};
    const auto n = static_cast<double>(old_sittings.size());
    const double mean = std::accumulate(old_sittings.begin(), old_sittings.end(), 0.0) / n;
    const double scatter = std::max(standard_deviation(old_sittings), least_scatter);
    const double t = (now - mean - log_margin) / (scatter * std::sqrt(1 + 1 / n));
    const boost::math::students_t student(n - 1);
    return {.regression_p = cdf(complement(student, t)), .pass_p = cdf(student, t)};
}

double detectable_slowdown(double sd, int blocks, std::size_t cells, double weight,
                           double log_margin, double power) {
    if (blocks < blocks_for_regression(cells, weight)) {
        return std::numeric_limits<double>::infinity();
    }
    const Requirement needed = requirement(share_of(regression_alpha, cells, weight), power);
    return std::exp(log_margin +
                    sd * std::sqrt(needed.squared_reach / (blocks - needed.lost_blocks)));
}

std::optional<int> blocks_for_margin(double sd, std::size_t cells, double weight, double log_margin,
                                     double power) {
    if (log_margin <= 0) return std::nullopt;
    const double twice = std::log1p(2 * std::expm1(log_margin)) - log_margin;
    const auto needed = [&](double alpha, double distance) {
        const Requirement side = requirement(share_of(alpha, cells, weight), power);
        return std::ceil(side.squared_reach * std::pow(sd / distance, 2) + side.lost_blocks);
    };
    const double blocks = std::max(needed(regression_alpha, twice), needed(pass_alpha, log_margin));
    if (blocks > std::numeric_limits<int>::max()) return std::nullopt;
    return std::max(static_cast<int>(blocks), blocks_for_regression(cells, weight));
}

}  // namespace loopbench
