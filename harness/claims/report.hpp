#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/claims/claim.hpp"

namespace loopbench {

/// A claim with what was measured of it.
struct JudgedClaim {
    const Claim* claim = nullptr;
    std::vector<ClaimCell> cells;
    std::vector<ClaimCell> beside;
    ClaimJudgement judgement;
};

JudgedClaim judge(const Claim& claim, Extent extent, const ClaimEvidence& evidence);

/// For the `claims` member of the result file.
nlohmann::json to_json(const std::vector<JudgedClaim>& claims);

/// For people: a table of figures for each claim, and last the verdicts.
std::string format_claims(const std::vector<JudgedClaim>& claims);

}  // namespace loopbench
