#include "harness/finding.hpp"

#include <utility>

namespace loopbench {

Finding finding_of(std::string id, std::string check) {
    return {std::move(id), std::move(check), nullptr, "not told", {}, {}, {}, {}};
}

void Finding::found(nlohmann::json what, std::string in_words) {
    value = std::move(what);
    shown = std::move(in_words);
}

Finding Finding::but(Grade how_bad, std::string what, std::string what_helps) && {
    grade = how_bad;
    text = std::move(what);
    remedy = std::move(what_helps);
    return std::move(*this);
}

Warning to_warning(const Finding& finding) {
    return {finding.grade.value_or(Grade::note),
            finding.id,
            finding.text,
            finding.remedy,
            finding.metric,
            std::nullopt};
}

std::string grade_name(const Finding& finding) {
    return finding.grade ? std::string(to_string(*finding.grade)) : "ok";
}

nlohmann::json to_json(const Finding& finding) {
    nlohmann::json object{{"id", finding.id},
                          {"check", finding.check},
                          {"value", finding.value},
                          {"shown", finding.shown},
                          {"grade", grade_name(finding)}};
    if (finding.grade) {
        object["text"] = finding.text;
        object["remedy"] = finding.remedy;
    }
    if (finding.metric) object["metric"] = *finding.metric;
    return object;
}

}  // namespace loopbench
