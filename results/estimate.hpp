#pragma once

#include <optional>
#include <span>
#include <string>

#include "results/result.hpp"

namespace loopbench {

/// A positive figure with its 95% interval, as the claims reckon with it. What could not be had is
/// missing, with the reason.
struct Estimate {
    std::optional<double> value;
    std::optional<Interval> ci95;
    std::string reason;
    bool operator==(const Estimate&) const = default;
};

/// 1 / a.
Estimate inverse(const Estimate& a);

/// a / b, of two that were measured independently: their relative errors add in squares.
Estimate quotient(const Estimate& a, const Estimate& b);

/// A count, which is not uncertain: its interval is the figure itself.
Estimate exact(const Estimate& a);

/// a / b, of two counts, which are not uncertain.
Estimate exact_quotient(const Estimate& a, const Estimate& b);

/// One measured point of a figure that is followed over a size.
struct GrowthPoint {
    double size = 0;  ///< above 0
    Estimate figure;
};

/// By how much a figure grows from the smallest size to the largest: the straight line through the
/// logarithms of both, each point weighted by its interval. Where the points scatter about the line
/// by more than their intervals say, the interval widens accordingly (the Birge ratio; Birge, "The
/// calculation of errors by the method of least squares", Physical Review 40, 1932). Needs two
/// points with intervals; those without are left out.
Estimate fitted_growth(std::span<const GrowthPoint> points);

}  // namespace loopbench
