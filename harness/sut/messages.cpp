#include "harness/sut/messages.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/sut/build_information.hpp"
#include "harness/sut/control_channel.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

constexpr int protocol_version = 1;

/// Answers are written also when they quote what was not UTF-8.
std::string dump(const json& message) {
    return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

const char* name_of(Support support) noexcept {
    switch (support) {
        case Support::native:
            return "native";
        case Support::adapted:
            return "adapted";
        default:
            return "emulated";
    }
}

/// A member of a request that has to be there and of the right kind.
const json& member(const json& message, const char* name, bool (json::*is_kind)() const noexcept,
                   std::string_view kind) {
    const auto found = message.find(name);
    if (found == message.end() || !((*found).*is_kind)()) {
        throw WorkloadError(
            fmt::format("a {} came {}", type_of(message),
                        found == message.end() ? fmt::format("without '{}'", name)
                                               : fmt::format("with '{}' {}", name, found->dump())),
            fmt::format("{} there would do", kind));
    }
    return *found;
}

void check_key(const std::string& key, const std::string& value, const LoopDescription& loop) {
    const auto found = std::find_if(loop.keys.begin(), loop.keys.end(),
                                    [&](const ArmKey& known) { return known.key == key; });
    if (found == loop.keys.end()) {
        std::vector<std::string_view> known;
        for (const ArmKey& each : loop.keys) known.push_back(each.key);
        throw WorkloadError(
            fmt::format("{} has no key '{}'", loop.name, key),
            known.empty() ? "use it without keys" : fmt::format("{}", fmt::join(known, " or ")));
    }
    if (std::find(found->values.begin(), found->values.end(), value) == found->values.end()) {
        throw WorkloadError(fmt::format("key '{}' of {} cannot be '{}'", key, loop.name, value),
                            fmt::format("{} would do", fmt::join(found->values, " or ")));
    }
}

}  // namespace

json parse_message(std::string_view line) {
    json message = json::parse(line, nullptr, false);
    if (message.is_discarded()) throw MalformedMessage("a line is no JSON");
    if (!message.is_object()) throw MalformedMessage("a line is no JSON object");
    const auto type = message.find("type");
    if (type == message.end() || !type->is_string()) {
        throw MalformedMessage("a message has no type");
    }
    return message;
}

std::string type_of(const json& message) {
    return message.at("type").get<std::string>();
}

std::map<std::string, std::string> parse_keys(const json& message, const SutFacts& facts) {
    std::map<std::string, std::string> keys;
    if (!message.contains("keys")) return keys;
    for (const auto& [key, value] :
         member(message, "keys", &json::is_object, "an object of texts").items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        check_key(key, text, facts.loop);
        keys.emplace(key, text);
    }
    return keys;
}

SetupRequest parse_setup(const json& message, const SutFacts& facts) {
    SetupRequest request;
    request.workload =
        member(message, "workload", &json::is_string, "a workload's name").get<std::string>();
    if (std::find(facts.workloads.begin(), facts.workloads.end(), request.workload) ==
        facts.workloads.end()) {
        throw WorkloadError(fmt::format("there is no workload '{}'", request.workload),
                            fmt::format("{} would do", fmt::join(facts.workloads, " or ")));
    }
    request.keys = parse_keys(message, facts);
    if (message.contains("seed")) {
        request.seed =
            member(message, "seed", &json::is_number_unsigned, "a whole number from 0 on")
                .get<std::uint64_t>();
    }
    if (message.contains("listen")) {
        request.listen =
            member(message, "listen", &json::is_string, "an address").get<std::string>();
    }
    return request;
}

ArmKey form_key() {
    return {
        "api", {"case", "push", "pull", "task"}, "how sockets are used: as the case says, or so"};
}

json parse_params(const json& message, const SetupRequest& request) {
    json params = json::object();
    if (message.contains("params")) {
        params = member(message, "params", &json::is_object, "an object of parameters");
    }
    const auto form = request.keys.find("api");
    if (form != request.keys.end() && form->second != "case" && !request.listen.empty()) {
        params["api"] = form->second;
    }
    return params;
}

std::uint64_t parse_operations(const json& message) {
    constexpr std::string_view kind = "a whole number from 1 on";
    const json& operations = member(message, "operations", &json::is_number_unsigned, kind);
    if (operations == 0) {
        throw WorkloadError("a slice came with 'operations' 0", fmt::format("{} would do", kind));
    }
    return operations.get<std::uint64_t>();
}

std::string error_message(std::string_view what, std::string_view remedy) {
    return dump({{"type", "error"}, {"what", what}, {"remedy", remedy}});
}

std::string description_message(const SutFacts& facts) {
    const LoopDescription& loop = facts.loop;
    json message{{"type", "description"},
                 {"protocol", protocol_version},
                 {"name", loop.name},
                 {"kind", facts.kind},
                 {"library", loop.library},
                 {"version", loop.version},
                 {"available", facts.availability.available},
                 {"workloads", facts.workloads}};
    if (!facts.availability.available) {
        message["reason"] = facts.availability.reason;
        message["remedy"] = facts.availability.remedy;
    }
    message["build"] = {{"compiler", build_information.compiler},
                        {"flags", build_information.flags},
                        {"assertions", build_information.assertions},
                        {"sanitizers", build_information.sanitizers}};
    json& operations = message["operations"] = json::object();
    for (const auto& [name, support] : loop.operations) operations[name] = name_of(support);
    json& fairness = message["fairness"] = json::object();
    for (const auto& [topic, text] : loop.notes) fairness[topic] = text;
    const LoopOptions defaults;
    fairness["timer_resolution_ns"] = loop.timer_resolution.count();
    fairness["poll_interval"] = defaults.poll_interval;
    fairness["read_buffer"] = defaults.read_buffer;
    json& capabilities = message["capabilities"];
    capabilities = {{"equal_deadlines_in_order", loop.equal_deadlines_in_order},
                    {"settable_poll_interval", loop.settable_poll_interval},
                    {"descriptor_limit", nullptr},
                    {"turn_limit", nullptr}};
    if (loop.descriptor_limit) capabilities["descriptor_limit"] = *loop.descriptor_limit;
    if (loop.turn_limit) capabilities["turn_limit"] = *loop.turn_limit;
    json& keys = message["keys"] = json::array();
    for (const ArmKey& key : loop.keys) {
        keys.push_back({{"key", key.key}, {"values", key.values}, {"meaning", key.meaning}});
    }
    return dump(message);
}

std::string ready_message(const std::string& address, const std::vector<std::string>& deviations) {
    json message{{"type", "ready"}, {"deviations", deviations}};
    if (!address.empty()) message["address"] = address;
    return dump(message);
}

std::string done_message(const SliceReport& report) {
    json message{{"type", "done"},
                 {"operations", report.operations},
                 {"elapsed_ns", report.elapsed.count()},
                 {"metrics", json::object()},
                 {"histograms", json::object()}};
    for (const auto& [name, value] : report.metrics) message["metrics"][name] = value;
    for (const auto& [name, histogram] : report.histograms) {
        message["histograms"][name] = histogram.to_json();
    }
    return dump(message);
}

std::string marked_message(const WorkloadCounters& workload, const ProcessCounters& process,
                           std::uint64_t turns) {
    json counters{{"turns", turns},
                  {"operations", workload.operations},
                  {"reads", workload.reads},
                  {"bytes", workload.bytes},
                  {"task_switches", workload.task_switches},
                  {"cpu_ns", process.cpu_ns},
                  {"voluntary_switches", process.voluntary_switches},
                  {"involuntary_switches", process.involuntary_switches},
                  {"allocations", nullptr},
                  {"open_connections", workload.open_connections},
                  {"steady_connections", workload.steady_connections}};
    if (process.allocations) counters["allocations"] = *process.allocations;
    return dump({{"type", "marked"}, {"counters", std::move(counters)}});
}

}  // namespace loopbench
