#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/ask_sut.hpp"
#include "harness/catalogue.hpp"
#include "harness/claims/claim.hpp"
#include "harness/commands.hpp"
#include "harness/errors.hpp"
#include "harness/nearest.hpp"
#include "harness/read_settings.hpp"
#include "harness/workload_parameters.hpp"
#include "results/metrics.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

json list_loops(const Catalogue& catalogue) {
    const StopSignals signals;
    json loops = json::array();
    for (const FoundProgram& sut : catalogue.suts()) {
        json loop = ask_sut(sut, signals);
        loop.erase("type");
        loop["name"] = sut.name;
        loop["path"] = sut.path.string();
        loop["found"] = sut.origin;
        loops.push_back(std::move(loop));
    }
    return loops;
}

json list_workloads() {
    json workloads = json::array();
    for (const WorkloadInfo& workload : all_workloads()) {
        json parameters = json::array();
        for (const Parameter& parameter : all_parameters()) {
            const auto preset = parameter.defaults.find(workload.name);
            if (preset == parameter.defaults.end()) continue;
            json one{{"flag", parameter.flag()},
                     {"default", preset->second},
                     {"meaning", parameter.help}};
            if (!parameter.choices.empty()) one["choices"] = parameter.choices;
            parameters.push_back(std::move(one));
        }
        workloads.push_back({{"name", workload.name},
                             {"summary", workload.summary},
                             {"operation", workload.operation},
                             {"sockets", workload.sockets},
                             {"parameters", parameters}});
    }
    return workloads;
}

json list_metrics() {
    json metrics = json::array();
    for (const MetricDefinition& metric : metric_definitions()) {
        metrics.push_back({{"name", metric.name},
                           {"unit", metric.unit},
                           {"better", to_string(metric.better)},
                           {"description", metric.description}});
    }
    return metrics;
}

json list_claims() {
    json claims = json::array();
    for (const Claim& claim : all_claims()) {
        claims.push_back({{"id", claim.id},
                          {"statement", claim.statement},
                          {"own", claim.own},
                          {"source", claim.source},
                          {"meaning", claim.meaning},
                          {"limits", claim.limits}});
    }
    return claims;
}

void print_suts(const json& suts) {
    for (const json& loop : suts) {
        const bool available = loop.value("available", true);
        fmt::print(
            "{:<14} {:<28} {}\n", loop["name"].get<std::string>(),
            available ? fmt::format("{} {}", loop.value("library", ""), loop.value("version", ""))
                      : "not available here",
            available ? fmt::format("{} ({})", loop["path"].get<std::string>(),
                                    loop["found"].get<std::string>())
                      : fmt::format("{} {}", loop.value("reason", ""), loop.value("remedy", "")));
    }
}

void print_loops(const json& suts) {
    json loops = json::array();
    json references = json::array();
    for (const json& sut : suts) {
        (sut.value("kind", "loop") == "reference" ? references : loops).push_back(sut);
    }
    print_suts(loops);
    if (!references.empty()) {
        fmt::print("\nreferences, which are measured beside the loops\n");
        print_suts(references);
    }
    if (suts.empty()) fmt::print("no loopbench-sut-* executable was found\n");
}

void print_workloads(const json& workloads) {
    for (const json& workload : workloads) {
        fmt::print("{:<10} {} (one operation: one {})\n", workload["name"].get<std::string>(),
                   workload["summary"].get<std::string>(),
                   workload["operation"].get<std::string>());
        for (const json& parameter : workload["parameters"]) {
            const json& preset = parameter["default"];
            fmt::print("    {:<18} {:<12} {}\n", parameter["flag"].get<std::string>(),
                       preset.is_null()     ? "all"
                       : preset.is_string() ? preset.get<std::string>()
                                            : preset.dump(),
                       parameter["meaning"].get<std::string>());
        }
    }
}

void print_metrics(const json& metrics) {
    for (const json& metric : metrics) {
        fmt::print("{:<28} {:<6} {:<7} {}\n", metric["name"].get<std::string>(),
                   metric["unit"].get<std::string>(), metric["better"].get<std::string>(),
                   metric["description"].get<std::string>());
    }
}

void print_claims(const json& claims) {
    bool own = false;
    for (const json& claim : claims) {
        if (claim["own"].get<bool>() && !std::exchange(own, true)) {
            fmt::print("\nwhat loopbench claims of its own loops (claims --own)\n");
        }
        fmt::print("{:<18} {}\n", claim["id"].get<std::string>(),
                   claim["statement"].get<std::string>());
        for (const char* part : {"source", "meaning", "limits"}) {
            fmt::print("    {:<8} {}\n", part, claim[part].get<std::string>());
        }
    }
}

struct Topic {
    json content;
    void (*print)(const json& content);
};

Topic find_topic(const std::string& name) {
    if (name == "loops") return {list_loops(Catalogue::of_this_process()), print_loops};
    if (name == "workloads") return {list_workloads(), print_workloads};
    if (name == "metrics") return {list_metrics(), print_metrics};
    if (name == "claims") return {list_claims(), print_claims};
    throw UsageError(fmt::format("list {}: there is no such list; {}", name,
                                 suggestion(name, {"loops", "workloads", "metrics", "claims"})));
}

}  // namespace

int list_command(const CommandLine& line) {
    if (line.has("check")) return check_command(line);
    const std::vector<std::string> names =
        line.topic.empty() ? std::vector<std::string>{"loops", "workloads", "metrics", "claims"}
                           : std::vector<std::string>{line.topic};
    json all = json::object();
    for (const std::string& name : names) {
        Topic topic = find_topic(name);
        if (!line.has("json")) {
            if (names.size() > 1) fmt::print("{}{}\n", name == names.front() ? "" : "\n", name);
            topic.print(topic.content);
        }
        all[name] = std::move(topic.content);
    }
    if (line.has("json"))
        fmt::print("{}\n", line.topic.empty() ? all.dump(2) : all[line.topic].dump(2));
    return exit_success;
}

}  // namespace loopbench
