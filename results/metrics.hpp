#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace loopbench {

/// Which direction of a metric is the better one.
enum class Better : std::uint8_t { lower, higher };

/// "lower" or "higher".
std::string_view to_string(Better better);

/// What a metric is, wherever it is printed, listed, compared or exported.
struct MetricDefinition {
    std::string_view name;         ///< the key in result files and in `--metrics`
    std::string_view unit;         ///< ns, op/s, B, B/s, 1/op, 1/s, or 1 for a bare ratio
    Better better;                 ///< for what only says which load it was, the cheaper direction
    std::string_view label;        ///< a few words for the head of a row
    std::string_view description;  ///< one line for `list metrics`
};

/// Every metric, in the order in which tables show them. Valid for ever.
std::span<const MetricDefinition> metric_definitions();

/// The metric of that name, or null.
const MetricDefinition* find_metric(std::string_view name);

}  // namespace loopbench
