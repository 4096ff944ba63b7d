#pragma once

#include <map>
#include <string>
#include <string_view>

namespace loopbench {

/// How much worse a metric may become and still count as unchanged: the larger of a share of the
/// reference's value and an amount in the metric's own unit.
struct Margin {
    double relative = 0;  ///< 0.015 for 1.5%
    double absolute = 0;  ///< in the metric's unit; 0 where only the share counts
    bool operator==(const Margin&) const = default;
};

/// The margin of a metric that nobody gave one for. Of figures inside the process a nanosecond is
/// let pass, since linking anew alone moves a switch of five; of system calls 0.02 an operation.
Margin default_margin(std::string_view metric, std::string_view placement);

/// Margins by metric over the defaults: what `--margin M=P,…` says.
using Margins = std::map<std::string, double, std::less<>>;

/// The margin that `given` names for the metric, as a plain share, or else the default.
Margin choose_margin(const Margins& given, std::string_view metric, std::string_view placement);

/// The margin as a natural logarithm of a ratio, ln(1 + m), against a reference whose value is
/// `level` (positive). It is meant for log-ratios of which above 0 is worse; where higher is
/// better, that is ln(reference / arm), and a rate is beyond a margin of 3% when it is below 1/1.03
/// = 97.1%.
double log_margin(const Margin& margin, double level);

}  // namespace loopbench
