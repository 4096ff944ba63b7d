#pragma once

#include <deque>
#include <string>
#include <vector>

#include "harness/campaign.hpp"

namespace loopbench {

/// What a table of `compare` will hold, how long it takes and how many blocks its verdicts need:
/// told before anything is measured.
std::string format_plan(const std::vector<CasePlan>& plans, std::size_t cells,
                        const Settings& settings);

/// The result of `compare` for people: for each case and placement a table with a row an arm, its
/// medians, the ratio to the reference with the 95% interval, and the verdict.
std::string format_comparison(const ResultFile& result, const std::deque<MeasuredCase>& cases,
                              const std::vector<std::string>& metrics);

}  // namespace loopbench
