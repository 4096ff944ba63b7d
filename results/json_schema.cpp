#include "results/json_schema.hpp"

#include <fmt/format.h>

#include <exception>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace loopbench {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

struct JsonSchema::Compiled {
    valijson::Schema schema;
};

namespace {

/// valijson gives the way to a node as "<root>", "[cases]", "[0]"; here it is "/cases/0".
std::string pointer_of(const std::vector<std::string>& context) {
    std::string pointer;
    for (std::size_t i = 1; i < context.size(); ++i) {
        const std::string& step = context[i];
        const bool bracketed = step.size() >= 2 && step.front() == '[' && step.back() == ']';
        pointer += '/';
        pointer += bracketed ? step.substr(1, step.size() - 2) : step;
    }
    return pointer.empty() ? "/" : pointer;
}

/// Whether an error only says that a member or an element has one, which is listed by itself.
bool only_points_further_down(const std::string& description) {
    return description.rfind("Failed to validate against schema associated with property", 0) ==
               0 ||
           description.rfind("Failed to validate item #", 0) == 0 ||
           description.rfind("Object is missing a member or validation failed", 0) == 0;
}

}  // namespace

JsonSchema::JsonSchema(std::string_view text) {
    const auto document = nlohmann::json::parse(text, nullptr, false);
    if (!document.is_object()) {
        throw std::invalid_argument("the JSON Schema is not a JSON object");
    }
    auto compiled = std::make_unique<Compiled>();
    try {
        valijson::SchemaParser(valijson::SchemaParser::kDraft7)
            .populateSchema(Adapter(document), compiled->schema);
    } catch (const std::exception& error) {
        throw std::invalid_argument(fmt::format("not a JSON Schema: {}", error.what()));
    }
    compiled_ = std::move(compiled);
}

JsonSchema::~JsonSchema() = default;
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&&) noexcept = default;

std::vector<std::string> JsonSchema::validate(const nlohmann::json& json) const {
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults results;
    if (validator.validate(compiled_->schema, Adapter(json), &results)) return {};
    std::vector<std::string> all;
    std::vector<std::string> causes;
    for (const auto& error : results) {
        all.push_back(fmt::format("{}: {}", pointer_of(error.context), error.description));
        if (!only_points_further_down(error.description)) causes.push_back(all.back());
    }
    // An invalid document is never reported as one without errors.
    if (all.empty()) return {"/: does not match the schema"};
    return causes.empty() ? all : causes;
}

}  // namespace loopbench
