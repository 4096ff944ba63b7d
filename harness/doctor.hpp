#pragma once

#include <string>
#include <vector>

#include "harness/finding.hpp"

namespace loopbench {

/// Whether nothing makes the machine unfit to measure on.
bool is_fit(const std::vector<Finding>& findings);

/// A table of all findings, then what is the matter in sentences.
std::string format_findings(const std::vector<Finding>& findings);

nlohmann::json findings_to_json(const std::vector<Finding>& findings);

}  // namespace loopbench
