#include "results/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace loopbench {
namespace {

/// Of the normal distribution, two-sided 95%.
constexpr double normal_quantile = 1.959963984540054;

/// An estimate on the logarithmic scale, where intervals are symmetric enough.
struct LogEstimate {
    double value = 0;
    double deviation = 0;  ///< standard deviation
};

bool is_usable(const Estimate& estimate) {
    return estimate.value && *estimate.value > 0 && estimate.ci95 && estimate.ci95->low > 0;
}

LogEstimate log_of(const Estimate& estimate) {
    const Interval& interval = *estimate.ci95;
    return {std::log(*estimate.value),
            std::log(interval.high / interval.low) / (2 * normal_quantile)};
}

Estimate from_log(const LogEstimate& estimate) {
    const double reach = normal_quantile * estimate.deviation;
    return {std::exp(estimate.value),
            Interval{std::exp(estimate.value - reach), std::exp(estimate.value + reach)}, ""};
}

std::string reason_of(const Estimate& estimate) {
    return estimate.reason.empty() ? "a figure is not above 0" : estimate.reason;
}

/// A point of the fit, in logarithms.
struct Point {
    double x = 0;
    double y = 0;
    double weight = 0;
};

}  // namespace

Estimate inverse(const Estimate& a) {
    if (!a.value || *a.value <= 0) return {std::nullopt, std::nullopt, reason_of(a)};
    Estimate result{1 / *a.value, std::nullopt, a.reason};
    if (a.ci95 && a.ci95->low > 0) result.ci95 = Interval{1 / a.ci95->high, 1 / a.ci95->low};
    return result;
}

Estimate quotient(const Estimate& a, const Estimate& b) {
    for (const Estimate& one : {a, b}) {
        if (!is_usable(one)) return {std::nullopt, std::nullopt, reason_of(one)};
    }
    const LogEstimate above = log_of(a);
    const LogEstimate below = log_of(b);
    return from_log({above.value - below.value, std::hypot(above.deviation, below.deviation)});
}

Estimate exact(const Estimate& a) {
    if (!a.value) return a;
    return {a.value, Interval{*a.value, *a.value}, ""};
}

Estimate exact_quotient(const Estimate& a, const Estimate& b) {
    for (const Estimate& one : {a, b}) {
        if (!one.value || *one.value <= 0) return {std::nullopt, std::nullopt, reason_of(one)};
    }
    const double ratio = *a.value / *b.value;
    return {ratio, Interval{ratio, ratio}, ""};
}

Estimate fitted_growth(std::span<const GrowthPoint> points) {
    // An interval of no width would take all the weight; a thousandth is finer than anything here.
    constexpr double least_deviation = 0.001;
    std::vector<Point> usable;
    std::string reason = "it was measured at one size only";
    for (const GrowthPoint& point : points) {
        if (!is_usable(point.figure)) {
            reason = reason_of(point.figure);
            continue;
        }
        const LogEstimate figure = log_of(point.figure);
        const double deviation = std::max(figure.deviation, least_deviation);
        usable.push_back({std::log(point.size), figure.value, 1 / (deviation * deviation)});
    }
    if (usable.size() < 2) return {std::nullopt, std::nullopt, reason};

    double weights = 0;
    double mean_x = 0;
    double mean_y = 0;
    for (const Point& point : usable) {
        weights += point.weight;
        mean_x += point.weight * point.x;
        mean_y += point.weight * point.y;
    }
    mean_x /= weights;
    mean_y /= weights;
    double squares = 0;
    double products = 0;
    for (const Point& point : usable) {
        squares += point.weight * (point.x - mean_x) * (point.x - mean_x);
        products += point.weight * (point.x - mean_x) * (point.y - mean_y);
    }
    const double slope = products / squares;
    double misfit = 0;
    for (const Point& point : usable) {
        const double residual = point.y - mean_y - slope * (point.x - mean_x);
        misfit += point.weight * residual * residual;
    }
    const auto freedom = static_cast<double>(usable.size()) - 2;
    const double birge = freedom > 0 ? std::max(1.0, std::sqrt(misfit / freedom)) : 1;
    const auto [least, most] = std::minmax_element(
        usable.begin(), usable.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
    const double span = most->x - least->x;
    return from_log({slope * span, birge / std::sqrt(squares) * span});
}

}  // namespace loopbench
