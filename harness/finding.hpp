#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "results/result.hpp"

namespace loopbench {

/// What one check of this machine came to.
struct Finding {
    std::string id;              ///< as in a result's warnings: "governor"
    std::string check;           ///< what was looked at, for people: "frequency governor"
    nlohmann::json value;        ///< what was found: a number, a word, or null when it is not told
    std::string shown;           ///< the value with its unit
    std::optional<Grade> grade;  ///< nothing: it is as it should be
    std::string text;            ///< what is the matter; empty without a grade
    std::string remedy;          ///< what to do about it; likewise
    std::optional<std::string> metric;  ///< what is void, with that grade

    void found(nlohmann::json what, std::string in_words);
    /// The same with something the matter.
    Finding but(Grade how_bad, std::string what, std::string what_helps) &&;
};

/// Of a check that has not found out anything yet: without a value, "not told".
Finding finding_of(std::string id, std::string check);

/// How a finding with a grade is told in a result.
Warning to_warning(const Finding& finding);

/// "ok", "note", "voids", "unfit".
std::string grade_name(const Finding& finding);

nlohmann::json to_json(const Finding& finding);

}  // namespace loopbench
