#include "results/validation.hpp"

#include <fmt/format.h>

#include <set>
#include <stdexcept>

#include "results/json_schema.hpp"

namespace loopbench {
namespace {

void check_interval(const nlohmann::json& owner, const std::string& path,
                    std::vector<std::string>& errors) {
    const auto& interval = owner["ci95"];
    if (interval.is_array() && interval[0].get<double>() > interval[1].get<double>()) {
        errors.push_back(fmt::format("{}/ci95: the lower end is above the upper end", path));
    }
}

void check_arm(const nlohmann::json& owner, const char* key, const std::string& path,
               const std::set<std::string>& arms, std::vector<std::string>& errors) {
    const auto id = owner[key].get<std::string>();
    if (!arms.contains(id)) {
        errors.push_back(fmt::format("{}/{}: \"{}\" is not one of the arms", path, key, id));
    }
}

/// What the schema cannot say. `json` matches the schema.
std::vector<std::string> check_meaning(const nlohmann::json& json) {
    std::vector<std::string> errors;
    std::set<std::string> arms;
    for (const auto& arm : json["arms"]) {
        if (!arms.insert(arm["id"].get<std::string>()).second) {
            errors.push_back(fmt::format("/arms: {} is there twice", arm["id"].dump()));
        }
    }
    for (std::size_t i = 0; i < json["cases"].size(); ++i) {
        const auto& one = json["cases"][i];
        const std::string path = fmt::format("/cases/{}", i);
        check_arm(one, "arm", path, arms, errors);
        for (const auto& [name, metric] : one["metrics"].items()) {
            check_interval(metric, fmt::format("{}/metrics/{}", path, name), errors);
        }
    }
    for (std::size_t i = 0; i < json["comparisons"].size(); ++i) {
        const auto& comparison = json["comparisons"][i];
        const std::string path = fmt::format("/comparisons/{}", i);
        check_arm(comparison, "arm", path, arms, errors);
        check_arm(comparison, "reference", path, arms, errors);
        check_interval(comparison, path, errors);
    }
    return errors;
}

}  // namespace

std::vector<std::string> validate_result(const nlohmann::json& json) {
    const JsonSchema schema(result_schema_text);
    std::vector<std::string> errors = schema.validate(json);
    return errors.empty() ? check_meaning(json) : errors;
}

ResultFile read_result(std::string_view text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded()) throw std::invalid_argument("not JSON");
    const std::vector<std::string> errors = validate_result(json);
    if (!errors.empty()) {
        throw std::invalid_argument(
            fmt::format("not a valid {} file: {}", result_schema_id, errors.front()));
    }
    return json.get<ResultFile>();
}

}  // namespace loopbench
