#include "harness/quantity.hpp"

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

constexpr Scale times[] = {{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}};
constexpr Scale rates[] = {{1, "/s"}, {1e3, "k/s"}, {1e6, "M/s"}, {1e9, "G/s"}};
constexpr Scale bytes[] = {{1, "B"}, {1024, "KiB"}, {1048576, "MiB"}, {1073741824, "GiB"}};
constexpr Scale byte_rates[] = {{1, "B/s"}, {1e3, "kB/s"}, {1e6, "MB/s"}, {1e9, "GB/s"}};

/// Four significant digits, and no more decimals than that; integers as they are.
std::string digits(double value) {
    const double size = std::abs(value);
    if (size == 0) return "0";
    const int whole = static_cast<int>(std::floor(std::log10(size))) + 1;
    const int decimals = std::clamp(4 - whole, 0, 4);
    return fmt::format("{:.{}f}", value, decimals);
}

std::string scaled(double value, std::span<const Scale> scales) {
    const Scale* scale = &scales.front();
    for (const Scale& larger : scales) {
        if (std::abs(value) >= larger.size) scale = &larger;
    }
    return fmt::format("{} {}", digits(value / scale->size), scale->name);
}

}  // namespace

std::string format_quantity(double value, std::string_view unit) {
    if (unit == "ns") return scaled(value, times);
    if (unit == "op/s" || unit == "1/s") return scaled(value, rates);
    if (unit == "B") return scaled(value, bytes);
    if (unit == "B/s") return scaled(value, byte_rates);
    return digits(value);
}

}  // namespace loopbench
