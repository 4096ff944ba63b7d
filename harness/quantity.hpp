#pragma once

#include <string>
#include <string_view>

namespace loopbench {

/// A figure as people read it: four significant digits and the unit at a fitting scale: "2.413 µs",
/// "211.3 k/s", "64 KiB". `unit` is one of those of results/metrics.hpp.
std::string format_quantity(double value, std::string_view unit);

}  // namespace loopbench
