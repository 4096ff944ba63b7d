#include "harness/arm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "harness/errors.hpp"

namespace loopbench {
namespace {

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char letter) {
        return std::isalnum(letter) != 0 || letter == '-' || letter == '_' || letter == '.';
    });
}

[[noreturn]] void refuse(std::string_view flag, std::string_view text, std::string_view why) {
    throw UsageError(
        fmt::format("{}={}: {}; an arm is NAME or NAME+key=value, such as "
                    "{}=epoll, or exec:PATH for a program of your own",
                    flag, text, why, flag));
}

void add_key(ArmSpec& arm, std::string_view flag, std::string_view text, std::string_view part) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || !is_name(part.substr(0, equals)) ||
        equals + 1 == part.size()) {
        refuse(flag, text, fmt::format("'+{}' is not +key=value", part));
    }
    const std::string key(part.substr(0, equals));
    if (!arm.keys.emplace(key, part.substr(equals + 1)).second) {
        refuse(flag, text, fmt::format("the key '{}' is given twice", key));
    }
}

}  // namespace

ArmSpec parse_arm(std::string_view flag, std::string_view text) {
    constexpr std::string_view external = "exec:";
    ArmSpec arm;
    arm.id = text;
    if (text.find(',') != std::string_view::npos) {
        refuse(flag, text, "one arm is wanted here, not a list");
    }
    const bool is_external = text.substr(0, external.size()) == external;
    std::string_view rest = is_external ? text.substr(external.size()) : text;
    // A path may itself hold a plus sign; only one that a key follows ends it.
    std::size_t plus = rest.find('+');
    while (is_external && plus != std::string_view::npos &&
           rest.find('/', plus) != std::string_view::npos) {
        plus = rest.find('+', plus + 1);
    }
    const std::string_view head = rest.substr(0, plus);
    if (head.empty()) refuse(flag, text, "the name is empty");
    if (is_external) {
        arm.program = std::filesystem::path(head);
        arm.name = arm.program->filename().string();
    } else {
        if (!is_name(head)) refuse(flag, text, fmt::format("'{}' is no name", head));
        arm.name = head;
    }
    while (plus != std::string_view::npos) {
        rest.remove_prefix(plus + 1);
        plus = rest.find('+');
        add_key(arm, flag, text, rest.substr(0, plus));
    }
    return arm;
}

}  // namespace loopbench
