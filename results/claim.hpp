#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "results/result.hpp"

namespace loopbench {

/// What a claim says of one figure: that it lies in a range. The side on which it may not lie is
/// where the claim is contradicted; beyond the other one, if that is bounded too, the claim is
/// outdone.
struct ClaimedRange {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();

    static ClaimedRange between(double low, double high) { return {low, high}; }
    static ClaimedRange at_least(double low) {
        return {low, std::numeric_limits<double>::infinity()};
    }
    static ClaimedRange at_most(double high) {
        return {-std::numeric_limits<double>::infinity(), high};
    }
    bool operator==(const ClaimedRange&) const = default;
};

/// One figure that a claim is judged by.
struct ClaimCell {
    std::string figure;  ///< what it is, in words: "CPU per round trip, asyncio over uvloop"
    /// By what it differs from the claim's other cells: "workload", "size", "arm" …, as texts.
    std::map<std::string, std::string> traits;
    std::optional<double> value;
    std::optional<Interval> ci95;
    ClaimedRange range;
    std::string reason;  ///< why `value` or `ci95` is missing, otherwise empty
    bool operator==(const ClaimCell&) const = default;
};

/// Where a cell's whole interval lies.
enum class Standing : std::uint8_t {
    within,   ///< in the claimed range
    beyond,   ///< above a range that is bounded on both sides: more than was claimed
    against,  ///< on the side that contradicts the claim
    open,     ///< across a bound, or not known
};
std::string_view name_of(Standing standing);

/// Without an interval a cell is open, since nothing is known of its error.
Standing standing_of(const ClaimCell& cell);

enum class ClaimVerdict : std::uint8_t { confirmed, refuted, exceeded, depends, unclear };
std::string_view name_of(ClaimVerdict verdict);

/// Of so many of a claim's cells its verdict must be true.
inline constexpr double share_for_a_verdict = 0.9;

struct ClaimJudgement {
    ClaimVerdict verdict = ClaimVerdict::unclear;
    std::string on;   ///< of `depends`: the trait that decides; empty when none tells them apart
    std::string why;  ///< the verdict in a sentence
    std::map<Standing, std::size_t> counts;
};

/// Confirmed, exceeded or refuted when at least nine of ten cells stand so. Otherwise, when cells
/// that are decided stand differently, it depends: on the trait by whose values the standings
/// differ most, which is the one that leaves the fewest cells standing unlike most with the same
/// value. Else it is unclear.
ClaimJudgement judge_claim(std::span<const ClaimCell> cells);

}  // namespace loopbench
