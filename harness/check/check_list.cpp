#include "harness/check/check_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/errors.hpp"

namespace loopbench {
namespace {

/// An error's text in the words of a check, which names no arm.
std::string words_of(const ProcessError& error) {
    const auto* refused = dynamic_cast<const RefusedError*>(&error);
    if (refused == nullptr) return error.what();
    return fmt::format("the error '{}'{}", error.what(),
                       refused->remedy().empty() ? "" : fmt::format(" ({})", refused->remedy()));
}

}  // namespace

void CheckList::add(CheckResult result) {
    results_.push_back(std::move(result));
    tell_(results_.back());
}

bool CheckList::check(const std::string& what, const Expectation& wanted,
                      const std::function<std::string()>& step) {
    try {
        add({CheckOutcome::held, what, step(), {}, {}});
        return true;
    } catch (const CheckFailed& failed) {
        add({CheckOutcome::failed, what, failed.what(), wanted, {}});
        return true;
    } catch (const CheckSkipped& skipped) {
        skip(what, skipped.what());
        return true;
    } catch (const ProcessError& error) {
        add({CheckOutcome::failed, what, words_of(error), wanted, error.last_lines()});
        return false;
    }
}

void CheckList::check_offered(const std::string& workload, bool offered,
                              const std::string& refusal) {
    if (offered) return;
    check(workload + ": offered",
          {"at least one form of it that is not refused",
           "leave it out of 'workloads', or offer its default parameters"},
          [&]() -> std::string { throw CheckFailed("each form was refused: " + refusal); });
}

void CheckList::skip(const std::string& what, const std::string& why) {
    add({CheckOutcome::skipped, what, why, {}, {}});
}

void CheckList::note(const std::string& what, const std::string& text) {
    add({CheckOutcome::note, what, text, {}, {}});
}

std::size_t CheckList::count(CheckOutcome outcome) const {
    return static_cast<std::size_t>(
        std::count_if(results_.begin(), results_.end(),
                      [&](const CheckResult& result) { return result.outcome == outcome; }));
}

std::string name_of(CheckOutcome outcome) {
    switch (outcome) {
        case CheckOutcome::held:
            return "ok";
        case CheckOutcome::failed:
            return "FAILED";
        case CheckOutcome::skipped:
            return "skipped";
        case CheckOutcome::note:
            return "note";
    }
    return "";
}

std::string format_check(const CheckResult& result) {
    std::string text = fmt::format("{:<8} {}", name_of(result.outcome), result.check);
    if (result.outcome == CheckOutcome::failed) {
        text += fmt::format(": came: {}; expected: {}; would do: {}\n", result.told,
                            result.wanted.expected, result.wanted.remedy);
    } else {
        text += result.told.empty() ? "\n" : fmt::format(": {}\n", result.told);
    }
    for (const std::string& line : result.last_lines) text += fmt::format("         | {}\n", line);
    return text;
}

nlohmann::json to_json(const CheckResult& result) {
    nlohmann::json object{{"outcome", name_of(result.outcome)}, {"check", result.check}};
    if (result.outcome != CheckOutcome::failed) {
        object["told"] = result.told;
        return object;
    }
    object["came"] = result.told;
    object["expected"] = result.wanted.expected;
    object["remedy"] = result.wanted.remedy;
    object["last_lines"] = result.last_lines;
    return object;
}

}  // namespace loopbench
