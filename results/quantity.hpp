#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "results/result.hpp"

namespace loopbench {

/// A figure as people read it, at a fitting scale of its unit: "5.12 µs", "312 k/s", "64 KiB",
/// "2.02". It is rounded to the first digit that its interval leaves uncertain; without an interval
/// to three significant digits; whole numbers are given whole. `unit` is one of those of
/// results/metrics.hpp.
std::string format_quantity(double value, std::string_view unit,
                            const std::optional<Interval>& interval);

/// How far the interval reaches from the figure, at the worse end and relative to it: "±1.2%". The
/// interval itself, as "±3", when the figure is 0.
std::string format_uncertainty(double value, const Interval& interval);

}  // namespace loopbench
