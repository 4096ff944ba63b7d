#include "harness/protocol.hpp"

#include <fmt/format.h>

#include <map>

#include "results/json_schema.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// The schema of one answer's type. Choosing it by the type beforehand gives messages about the
/// member that is wrong, where `oneOf` could only say that nothing fitted.
std::string schema_of(const std::string& type) {
    json schema = json::parse(protocol_schema_text);
    schema.erase("oneOf");
    // Beside a "$ref" draft 7 ignores everything, the definitions too: so it stands in an "allOf".
    schema["allOf"] = json::array({json{{"$ref", "#/definitions/" + type}}});
    return schema.dump();
}

const JsonSchema& validator_of(const std::string& type) {
    static std::map<std::string, JsonSchema> validators;
    const auto found = validators.find(type);
    if (found != validators.end()) return found->second;
    return validators.emplace(type, JsonSchema(schema_of(type))).first->second;
}

}  // namespace

json read_answer(std::string_view line, std::string_view expected) {
    json answer = json::parse(line, nullptr, false);
    if (answer.is_discarded()) throw ProtocolViolation("the answer is not JSON");
    const bool typed = answer.is_object() && answer.contains("type") && answer["type"].is_string();
    if (!typed) throw ProtocolViolation("the answer has no 'type'");
    const auto type = answer["type"].get<std::string>();
    if (type != expected && type != "error") {
        throw ProtocolViolation(
            fmt::format("'{}' was answered where '{}' was due", type, expected));
    }
    const auto problems = validator_of(type).validate(answer);
    if (!problems.empty()) throw ProtocolViolation(problems.front());
    if (type == "description" && answer["protocol"] != protocol_version) {
        throw ProtocolViolation(
            fmt::format("it speaks version {} of the protocol, and this harness "
                        "version {}",
                        answer["protocol"].dump(), protocol_version));
    }
    return answer;
}

}  // namespace loopbench
