#pragma once

#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

namespace loopbench::injection {

/// The share that a number of percent says, fractions allowed; nothing for anything else, and
/// outside 0 … 10000%.
inline std::optional<double> share_of_percent(const char* text) {
    constexpr double most = 10'000;
    if (text == nullptr) return std::nullopt;
    const char* const text_end = text + std::strlen(text);
    double percent = 0;
    const auto [end, error] = std::from_chars(text, text_end, percent);
    const bool good = error == std::errc() && end == text_end && percent >= 0 && percent <= most;
    return good ? std::optional(percent / 100) : std::nullopt;
}

}  // namespace loopbench::injection
