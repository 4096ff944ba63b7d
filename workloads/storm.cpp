#include "workloads/storm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <string>

#include "workloads/parameters.hpp"

namespace loopbench {
namespace {

constexpr std::uint32_t heaviest = 1000;
// Enough events that reading the CPU clock between the phases of a round does not show.
constexpr std::uint32_t most_events = 24 * 1024;

/// The three weights, without common divisor.
std::array<std::uint32_t, 3> parse_mix(const std::string& text) {
    std::array<std::uint32_t, 3> weights{};
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto reject = [&] {
        ParameterReader::reject("mix", fmt::format("\"{}\"", text),
                                fmt::format("start:cancel:expire, such as 1:1:1, each from 0 to {} "
                                            "and not all 0",
                                            heaviest));
    };
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (i > 0 && (at == end || *at++ != ':')) reject();
        const auto [next, error] = std::from_chars(at, end, weights[i]);
        if (error != std::errc() || weights[i] > heaviest) reject();
        at = next;
    }
    const std::uint32_t divisor = std::gcd(std::gcd(weights[0], weights[1]), weights[2]);
    if (at != end || divisor == 0) reject();
    for (std::uint32_t& weight : weights) weight /= divisor;
    return weights;
}

}  // namespace

Storm storm_parameters(const nlohmann::json& params) {
    const ParameterReader reader(params);
    const std::string mix = reader.text("mix", "1:1:1");
    const auto [start, cancel, expire] = parse_mix(mix);
    const std::uint32_t weight = start + cancel + expire;

    Storm storm;
    storm.pending =
        static_cast<std::uint32_t>(reader.number("pending", storm.pending, 1, 100'000'000));
    // A round touches a quarter of the timers at the most: the others are the load.
    if (storm.pending / 4 < weight) {
        ParameterReader::reject("pending", std::to_string(storm.pending),
                                fmt::format("at least {} with mix {}", 4 * weight, mix));
    }
    const std::uint32_t times = std::max(1U, std::min(storm.pending / 4, most_events) / weight);
    storm.restarts = start * times;
    storm.cancels = cancel * times;
    storm.expiries = expire * times;
    return storm;
}

}  // namespace loopbench
