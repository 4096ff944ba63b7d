#include "results/result.hpp"

#include <fmt/chrono.h>

#include <cmath>
#include <utility>

namespace loopbench {
namespace {

constexpr const char* not_finite = "the figure is not a finite number";

bool is_finite(const std::optional<double>& value) {
    return !value || std::isfinite(*value);
}

bool is_finite(const std::optional<Interval>& interval) {
    return !interval || (std::isfinite(interval->low) && std::isfinite(interval->high));
}

/// Writes a figure under `key` with its interval and, when one of them is missing, the reason.
void put_figure(nlohmann::json& json, const char* key, const std::optional<double>& figure,
                const std::optional<Interval>& ci95, const std::string& reason) {
    const bool has_figure = figure && std::isfinite(*figure);
    const bool has_interval = has_figure && ci95 && is_finite(ci95);
    json[key] = nullptr;
    json["ci95"] = nullptr;
    if (has_figure) json[key] = *figure;
    if (has_interval) {
        json["ci95"] = *ci95;
    } else if (!reason.empty()) {
        json["reason"] = reason;
    } else {
        json["reason"] = is_finite(figure) && is_finite(ci95) ? "not measured" : not_finite;
    }
}

/// Replaces what JSON cannot hold in the parts whose shape is not ours.
void remove_non_finite(nlohmann::json& json) {
    if (json.is_number_float() && !std::isfinite(json.get<double>())) json = nullptr;
    if (json.is_structured()) {
        for (auto& element : json) remove_non_finite(element);
    }
}

template <typename T>
void get_optional(const nlohmann::json& json, const char* key, std::optional<T>& value) {
    const auto found = json.find(key);
    value.reset();
    if (found != json.end() && !found->is_null()) value = found->get<T>();
}

Better better_from(const std::string& text) {
    return text == "higher" ? Better::higher : Better::lower;
}

Grade grade_from(const std::string& text) {
    if (text == "unfit") return Grade::unfit;
    return text == "voids" ? Grade::voids : Grade::note;
}

}  // namespace

std::string_view to_string(Grade grade) {
    switch (grade) {
        case Grade::note:
            return "note";
        case Grade::voids:
            return "voids";
        case Grade::unfit:
            return "unfit";
    }
    return "note";
}

MetricValue make_metric_value(const MetricDefinition& definition) {
    MetricValue value;
    value.unit = definition.unit;
    value.better = definition.better;
    return value;
}

MetricValue missing_metric_value(const MetricDefinition& definition, std::string reason) {
    MetricValue value = make_metric_value(definition);
    value.reason = std::move(reason);
    return value;
}

std::string utc_timestamp(std::chrono::system_clock::time_point time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

void to_json(nlohmann::json& json, const Interval& interval) {
    json = nlohmann::json::array({interval.low, interval.high});
}

void from_json(const nlohmann::json& json, Interval& interval) {
    json.at(0).get_to(interval.low);
    json.at(1).get_to(interval.high);
}

void to_json(nlohmann::json& json, const MetricValue& value) {
    json = {{"unit", value.unit}, {"better", to_string(value.better)}, {"n", value.n}};
    put_figure(json, "median", value.median, value.ci95, value.reason);
}

void from_json(const nlohmann::json& json, MetricValue& value) {
    json.at("unit").get_to(value.unit);
    value.better = better_from(json.at("better").get<std::string>());
    get_optional(json, "median", value.median);
    get_optional(json, "ci95", value.ci95);
    json.at("n").get_to(value.n);
    value.reason = json.value("reason", "");
}

void to_json(nlohmann::json& json, const LoopbenchBuild& build) {
    json = {{"version", build.version},
            {"commit", build.commit},
            {"compiler", build.compiler},
            {"flags", build.flags}};
}

void from_json(const nlohmann::json& json, LoopbenchBuild& build) {
    json.at("version").get_to(build.version);
    json.at("commit").get_to(build.commit);
    json.at("compiler").get_to(build.compiler);
    json.at("flags").get_to(build.flags);
}

void to_json(nlohmann::json& json, const Plan& plan) {
    json = plan.further;
    json.update({{"seed", plan.seed},
                 {"blocks", plan.blocks},
                 {"slices", plan.slices},
                 {"slice_ms", plan.slice_ms},
                 {"cpus", plan.cpus}});
}

void from_json(const nlohmann::json& json, Plan& plan) {
    json.at("seed").get_to(plan.seed);
    json.at("blocks").get_to(plan.blocks);
    json.at("slices").get_to(plan.slices);
    json.at("slice_ms").get_to(plan.slice_ms);
    json.at("cpus").get_to(plan.cpus);
    plan.further = json;
    for (const char* key : {"seed", "blocks", "slices", "slice_ms", "cpus"}) {
        plan.further.erase(key);
    }
}

void to_json(nlohmann::json& json, const Arm& arm) {
    json = {{"id", arm.id}, {"describe", arm.describe}};
}

void from_json(const nlohmann::json& json, Arm& arm) {
    json.at("id").get_to(arm.id);
    arm.describe = json.at("describe");
}

void to_json(nlohmann::json& json, const Case& one) {
    json = {{"workload", one.workload},   {"params", one.params},   {"arm", one.arm},
            {"placement", one.placement}, {"metrics", one.metrics}, {"samples", one.samples},
            {"blocks", one.blocks}};
}

void from_json(const nlohmann::json& json, Case& one) {
    json.at("workload").get_to(one.workload);
    one.params = json.at("params");
    json.at("placement").get_to(one.placement);
    json.at("arm").get_to(one.arm);
    json.at("metrics").get_to(one.metrics);
    json.at("samples").get_to(one.samples);
    one.blocks = json.value("blocks", std::vector<nlohmann::json>());
}

void to_json(nlohmann::json& json, const Comparison& comparison) {
    json = {{"workload", comparison.workload},
            {"params", comparison.params},
            {"placement", comparison.placement},
            {"metric", comparison.metric},
            {"arm", comparison.arm},
            {"reference", comparison.reference},
            {"n", comparison.n},
            {"verdict", comparison.verdict}};
    put_figure(json, "ratio", comparison.ratio, comparison.ci95, comparison.reason);
    if (comparison.p) json["p"] = *comparison.p;
    if (comparison.adjusted_p) json["adjusted_p"] = *comparison.adjusted_p;
    if (comparison.adjusted_ci) json["adjusted_ci"] = *comparison.adjusted_ci;
}

void from_json(const nlohmann::json& json, Comparison& comparison) {
    json.at("workload").get_to(comparison.workload);
    comparison.params = json.at("params");
    json.at("placement").get_to(comparison.placement);
    json.at("metric").get_to(comparison.metric);
    json.at("arm").get_to(comparison.arm);
    json.at("reference").get_to(comparison.reference);
    get_optional(json, "ratio", comparison.ratio);
    get_optional(json, "ci95", comparison.ci95);
    json.at("n").get_to(comparison.n);
    json.at("verdict").get_to(comparison.verdict);
    comparison.reason = json.value("reason", "");
    get_optional(json, "p", comparison.p);
    get_optional(json, "adjusted_p", comparison.adjusted_p);
    get_optional(json, "adjusted_ci", comparison.adjusted_ci);
}

void to_json(nlohmann::json& json, const Warning& warning) {
    json = {{"grade", to_string(warning.grade)},
            {"id", warning.id},
            {"text", warning.text},
            {"remedy", warning.remedy}};
    if (warning.metric) json["metric"] = *warning.metric;
    if (warning.cell) json["cell"] = *warning.cell;
}

void from_json(const nlohmann::json& json, Warning& warning) {
    warning.grade = grade_from(json.at("grade").get<std::string>());
    json.at("id").get_to(warning.id);
    json.at("text").get_to(warning.text);
    json.at("remedy").get_to(warning.remedy);
    get_optional(json, "metric", warning.metric);
    get_optional(json, "cell", warning.cell);
}

void to_json(nlohmann::json& json, const ResultFile& result) {
    json = {{"schema", result_schema_id},    {"created", result.created},
            {"loopbench", result.loopbench}, {"environment", result.environment},
            {"plan", result.plan},           {"arms", result.arms},
            {"cases", result.cases},         {"comparisons", result.comparisons},
            {"warnings", result.warnings},   {"complete", result.complete}};
    if (!result.gate.is_null()) json["gate"] = result.gate;
    if (!result.sittings.is_null()) json["sittings"] = result.sittings;
    if (!result.claims.is_null()) json["claims"] = result.claims;
    remove_non_finite(json);
}

void from_json(const nlohmann::json& json, ResultFile& result) {
    json.at("created").get_to(result.created);
    json.at("loopbench").get_to(result.loopbench);
    result.environment = json.at("environment");
    json.at("plan").get_to(result.plan);
    json.at("arms").get_to(result.arms);
    json.at("cases").get_to(result.cases);
    json.at("comparisons").get_to(result.comparisons);
    json.at("warnings").get_to(result.warnings);
    json.at("complete").get_to(result.complete);
    result.gate = json.value("gate", nlohmann::json());
    result.sittings = json.value("sittings", nlohmann::json());
    result.claims = json.value("claims", nlohmann::json());
}

}  // namespace loopbench
