#include "harness/fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace loopbench {
namespace {

using nlohmann::json;

struct Trait {
    std::string_view key;
    std::string_view name;
};

constexpr Trait traits[] = {
    {"kernel", "kernel"},
    {"architecture", "architecture"},
    {"cpu_model", "processor"},
    {"cpus", "processors"},
    {"cpus_allowed", "processors allowed"},
    {"governor", "frequency governor"},
    {"boost", "frequency boost"},
    {"virtual_machine", "virtual machine"},
    {"clock_source", "clock source"},
    {"smt", "simultaneous multithreading"},
    {"mitigations", "mitigation"},
    {"transparent_hugepages", "transparent huge pages"},
    {"irq_time_accounting", "IRQ time accounting"},
    {"aslr", "random address layout"},
    {"cgroup_cpu_max", "processor limit of the control group"},
    {"cgroup_memory_max", "memory limit of the control group"},
};

std::string in_words(const json& value) {
    if (value.is_null()) return "not told";
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void compare(std::vector<std::string>& lines, std::string_view name, const json& then,
             const json& now) {
    if (then == now) return;
    if (!then.is_object() || !now.is_object()) {
        lines.push_back(fmt::format("{}: was {}, is {}", name, in_words(then), in_words(now)));
        return;
    }
    // A weakness that one kernel does not know of is one that it does nothing about.
    json all = then;
    all.update(now);
    for (const auto& [key, ignored] : all.items()) {
        compare(lines, fmt::format("{} of {}", name, key), then.value(key, json()),
                now.value(key, json()));
    }
}

}  // namespace

json fingerprint(const json& environment) {
    json print = json::object();
    for (const Trait& trait : traits) {
        const auto value = environment.find(trait.key);
        if (value != environment.end()) print[std::string(trait.key)] = *value;
    }
    // Which of a machine's processors they are makes no difference.
    if (print.contains("cpus_allowed") && print["cpus_allowed"].is_array()) {
        print["cpus_allowed"] = print["cpus_allowed"].size();
    }
    return print;
}

std::vector<std::string> differences(const json& then, const json& now) {
    std::vector<std::string> lines;
    for (const Trait& trait : traits) {
        const auto before = then.find(trait.key);
        const auto after = now.find(trait.key);
        if (before == then.end() || after == now.end()) continue;
        compare(lines, trait.name, *before, *after);
    }
    // What a caller has added under names of its own.
    for (const auto& before : then.items()) {
        const std::string& key = before.key();
        const bool own = std::none_of(std::begin(traits), std::end(traits),
                                      [&](const Trait& trait) { return trait.key == key; });
        if (own && now.contains(key)) compare(lines, key, before.value(), now[key]);
    }
    return lines;
}

}  // namespace loopbench
