#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/claims/claim.hpp"
#include "results/result.hpp"

namespace loopbench {

// How far a run of `claims` has come, as its result tells in its plan: which experiments it holds,
// and which cases and comparisons are whose. By it an interrupted run goes on.

/// Of a run that has measured nothing yet.
nlohmann::json new_progress(const std::vector<const Claim*>& claims, Extent extent);

/// Whether a result was begun for the same claims, of the same extent.
bool is_of_the_same(const ResultFile& result, const nlohmann::json& progress);

/// The rows of a result that an experiment has added: [first, end).
struct MeasuredRows {
    std::size_t first_case = 0;
    std::size_t end_case = 0;
    std::size_t first_comparison = 0;
    std::size_t end_comparison = 0;
};

/// Notes the rows of an experiment, which go to the result's end. `whole`: no arm broke off.
void note_measured(ResultFile& result, const std::string& key, std::size_t first_case,
                   std::size_t first_comparison, bool whole);

/// The rows of the experiment of that key; nothing when it was not measured.
std::optional<MeasuredRows> measured_rows(const ResultFile& result, const std::string& key);

/// Leaves out what was interrupted, and what an arm broke off in: it is measured anew.
void drop_unfinished(ResultFile& result);

/// How many experiments the result holds.
std::size_t count_measured(const ResultFile& result);

}  // namespace loopbench
