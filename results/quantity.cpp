#include "results/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace loopbench {
namespace {

struct Scale {
    double size;
    std::string_view name;
};

constexpr Scale times[] = {{1, " ns"}, {1e3, " µs"}, {1e6, " ms"}, {1e9, " s"}};
constexpr Scale rates[] = {{1, " /s"}, {1e3, " k/s"}, {1e6, " M/s"}, {1e9, " G/s"}};
constexpr Scale bytes[] = {{1, " B"}, {0x1p10, " KiB"}, {0x1p20, " MiB"}, {0x1p30, " GiB"}};
constexpr Scale byte_rates[] = {{1, " B/s"}, {1e3, " kB/s"}, {1e6, " MB/s"}, {1e9, " GB/s"}};
constexpr Scale plain[] = {{1, ""}};

std::span<const Scale> scales_of(std::string_view unit) {
    if (unit == "ns") return times;
    if (unit == "op/s" || unit == "1/s") return rates;
    if (unit == "B") return bytes;
    if (unit == "B/s") return byte_rates;
    return plain;
}

/// The power of ten of the first digit: 2 for 250, -2 for 0.03.
int leading_power(double value) {
    return static_cast<int>(std::floor(std::log10(value)));
}

double reach(double value, const Interval& interval) {
    return std::max(std::abs(interval.high - value), std::abs(value - interval.low));
}

/// How many decimals are worth showing of a figure and its uncertainty, both at one scale.
int decimals_of(double value, double uncertainty) {
    constexpr int most = 6;
    const double size = std::abs(value);
    if (uncertainty > 0) {
        // The digits that an uncertainty of millionths would allow are more than anybody reads.
        const int readable = size > 0 ? 4 - leading_power(size) : most;
        return std::clamp(std::min(-leading_power(uncertainty), readable), 0, most);
    }
    if (size == std::floor(size)) return 0;
    // Three digits after rounding: 9.996 is 10.0, not 10.00.
    const int power = leading_power(size);
    const bool rounds_up = std::round(size * std::pow(10, 2 - power)) >= 1000;
    return std::clamp(2 - power - (rounds_up ? 1 : 0), 0, most);
}

}  // namespace

std::string format_quantity(double value, std::string_view unit,
                            const std::optional<Interval>& interval) {
    const double uncertainty = interval ? reach(value, *interval) : 0;
    const std::span<const Scale> scales = scales_of(unit);
    std::string text;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        const double size = scales[i].size;
        const double scaled = value / size;
        const int decimals = decimals_of(scaled, uncertainty / size);
        text = fmt::format("{:.{}f}{}", scaled, decimals, scales[i].name);
        // Compared as rounded: 999.96 ns is 1.00 µs, not 1000 ns.
        const double unit_of_last_digit = std::pow(10, -decimals);
        const double shown = std::round(std::abs(scaled) / unit_of_last_digit) * unit_of_last_digit;
        if (i + 1 < scales.size() && shown * size < scales[i + 1].size) break;
    }
    return text;
}

std::string format_uncertainty(double value, const Interval& interval) {
    const double uncertainty = reach(value, interval);
    if (uncertainty == 0) return "±0%";
    if (value == 0) return fmt::format("±{:.2g}", uncertainty);
    const double percent = 100 * uncertainty / std::abs(value);
    if (percent < 0.1) return "±<0.1%";
    return fmt::format("±{:.{}f}%", percent, percent < 9.95 ? 1 : 0);
}

}  // namespace loopbench
