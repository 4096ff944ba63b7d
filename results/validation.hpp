#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "results/result.hpp"

namespace loopbench {

/// The JSON Schema of result files (results/result.schema.json), part of the executable.
extern const std::string_view result_schema_text;

/// What is wrong with a result file, as "/path: what"; empty when it is valid: the schema, and what
/// a schema cannot say (an interval's ends are in order, every arm that is named is described).
std::vector<std::string> validate_result(const nlohmann::json& json);

/// A result file that comes from outside. Throws `std::invalid_argument` with the first of what is
/// wrong with it.
ResultFile read_result(std::string_view text);

}  // namespace loopbench
