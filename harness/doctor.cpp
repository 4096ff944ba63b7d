#include "harness/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "results/table.hpp"

namespace loopbench {

bool is_fit(const std::vector<Finding>& findings) {
    return std::none_of(findings.begin(), findings.end(),
                        [](const Finding& finding) { return finding.grade == Grade::unfit; });
}

std::string format_findings(const std::vector<Finding>& findings) {
    Table table({{"check", Table::Align::left},
                 {"finding", Table::Align::left},
                 {"grade", Table::Align::left},
                 {"what to change", Table::Align::left}});
    std::string matters;
    for (const Finding& finding : findings) {
        table.add_row({finding.check, finding.shown, grade_name(finding), finding.remedy});
        if (finding.grade) {
            matters +=
                fmt::format("{}: {}: {}\n", grade_name(finding), finding.check, finding.text);
        }
    }
    return fmt::format("{}\n{}{}this machine is {}fit to measure on\n", table.render(), matters,
                       matters.empty() ? "" : "\n", is_fit(findings) ? "" : "un");
}

nlohmann::json findings_to_json(const std::vector<Finding>& findings) {
    nlohmann::json list = nlohmann::json::array();
    for (const Finding& finding : findings) list.push_back(to_json(finding));
    return {{"schema", "loopbench-doctor/1"}, {"fit", is_fit(findings)}, {"findings", list}};
}

}  // namespace loopbench
