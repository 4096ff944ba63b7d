#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/claims/claim.hpp"

namespace loopbench {

// What the files of loopbench's claims about itself share.

/// The loops that are to be the fastest.
const std::vector<std::string>& own_loops();

/// What tells the cells of one claim apart: the case, and the arm.
std::map<std::string, std::string> own_traits(const Experiment& experiment, const std::string& arm);

/// Whether a figure of the arm is to be had there; it is not where the arm does not offer the case.
/// (If the experiment was left out, the figure says why.)
bool is_expected(const Experiment& experiment, const std::string& arm,
                 const ClaimEvidence& evidence);

}  // namespace loopbench
