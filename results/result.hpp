#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/metrics.hpp"

namespace loopbench {

// The result file as plain values. Each type converts to and from JSON by nlohmann's own means
// (`nlohmann::json json = result;`, `json.get<ResultFile>()`), with the members' names as keys.
// What is read must have passed `validate_result`; `read_result` does both.

inline constexpr std::string_view result_schema_id = "loopbench-result/1";

/// A closed interval in the unit of what it belongs to, `low <= high`. JSON: `[low, high]`.
struct Interval {
    double low = 0;
    double high = 0;
    bool operator==(const Interval&) const = default;
};

/// A metric's figure in one cell.
struct MetricValue {
    std::string unit;
    Better better = Better::lower;
    std::optional<double> median;  ///< over blocks; nothing when it could not be had
    std::optional<Interval> ci95;  ///< of the median, by blocks; nothing when there are too few
    std::size_t n = 0;             ///< blocks that it rests on
    std::string reason;            ///< why `median` or `ci95` is missing, otherwise empty
    bool operator==(const MetricValue&) const = default;
};

/// A figure of `definition`, still empty, with its unit and direction.
MetricValue make_metric_value(const MetricDefinition& definition);

/// A figure of `definition` that could not be had, and why.
MetricValue missing_metric_value(const MetricDefinition& definition, std::string reason);

struct LoopbenchBuild {
    std::string version;
    std::string commit;  ///< "unknown" outside a repository
    std::string compiler;
    std::string flags;
    bool operator==(const LoopbenchBuild&) const = default;
};

struct Plan {
    std::uint64_t seed = 0;  ///< below 2^53, so that every JSON reader keeps it exact
    std::size_t blocks = 0;
    std::size_t slices = 0;  ///< of each arm in a block
    double slice_ms = 0;
    std::vector<int> cpus;                              ///< the SUT's, then the driver's
    nlohmann::json further = nlohmann::json::object();  ///< more members of the same JSON object
    bool operator==(const Plan&) const = default;
};

struct Arm {
    std::string id;           ///< as written by the user: `uring+send=request`
    nlohmann::json describe;  ///< the SUT's `description`, an object
    bool operator==(const Arm&) const = default;
};

/// One workload with its parameters on one arm.
struct Case {
    std::string workload;
    nlohmann::json params = nlohmann::json::object();
    std::string placement;  ///< "lockstep", "split" or, without sockets, "in-process"
    std::string arm;        ///< an `Arm::id`
    std::map<std::string, MetricValue> metrics;
    std::vector<nlohmann::json> samples;  ///< one object a slice, with `block` and `slice`
    std::vector<nlohmann::json> blocks;   ///< one object a block: what was counted over it
    bool operator==(const Case&) const = default;
};

/// One metric of one case: `arm` over `reference`.
struct Comparison {
    std::string workload;
    nlohmann::json params = nlohmann::json::object();
    std::string placement;
    std::string metric;
    std::string arm;
    std::string reference;
    std::optional<double> ratio;
    std::optional<Interval> ci95;  ///< of the ratio
    std::size_t n = 0;             ///< blocks that it rests on
    std::string
        verdict;  ///< faster, slower, tie, unclear, unequal-load, no verdict; or "VERDICT: why"
    std::string reason;                ///< why `ratio` or `ci95` is missing, otherwise empty
    std::optional<double> p;           ///< of what the verdict claims, where there was one to give
    std::optional<double> adjusted_p;  ///< by Holm, over the table that it stands in
    std::optional<Interval>
        adjusted_ci;  ///< at Holm's level, where it decided otherwise than `ci95`
    bool operator==(const Comparison&) const = default;
};

enum class Grade : std::uint8_t {
    note,   ///< worth knowing
    voids,  ///< a metric of a cell is not to be used
    unfit,  ///< this machine, as it is, cannot answer: exit code 4
};

std::string_view to_string(Grade grade);

/// What a self-check found.
struct Warning {
    Grade grade = Grade::note;
    std::string id;  ///< of the check: "steal", "governor", …
    std::string text;
    std::string remedy;
    std::optional<std::string> metric;  ///< what is void; nothing means all
    std::optional<std::string> cell;    ///< where it is void, in words; nothing means everywhere
    bool operator==(const Warning&) const = default;
};

struct ResultFile {
    std::string created;  ///< RFC 3339 in UTC: see `utc_timestamp`
    LoopbenchBuild loopbench;
    nlohmann::json environment = nlohmann::json::object();
    Plan plan;
    std::vector<Arm> arms;
    std::vector<Case> cases;
    std::vector<Comparison> comparisons;
    std::vector<Warning> warnings;
    bool complete = false;
    nlohmann::json gate;  ///< these three: null when they do not apply, then not written
    nlohmann::json sittings;
    nlohmann::json claims;
    bool operator==(const ResultFile&) const = default;
};

/// "2026-03-01T12:34:56Z"
std::string utc_timestamp(std::chrono::system_clock::time_point time);

// JSON has no NaN and no infinity. Writing turns a median, ratio or interval that is not finite
// into null, with a reason when there was none, and anything else that is not finite into null.

void to_json(nlohmann::json& json, const Interval& interval);
void to_json(nlohmann::json& json, const MetricValue& value);
void to_json(nlohmann::json& json, const LoopbenchBuild& build);
void to_json(nlohmann::json& json, const Plan& plan);
void to_json(nlohmann::json& json, const Arm& arm);
void to_json(nlohmann::json& json, const Case& one);
void to_json(nlohmann::json& json, const Comparison& comparison);
void to_json(nlohmann::json& json, const Warning& warning);
void to_json(nlohmann::json& json, const ResultFile& result);

void from_json(const nlohmann::json& json, Interval& interval);
void from_json(const nlohmann::json& json, MetricValue& value);
void from_json(const nlohmann::json& json, LoopbenchBuild& build);
void from_json(const nlohmann::json& json, Plan& plan);
void from_json(const nlohmann::json& json, Arm& arm);
void from_json(const nlohmann::json& json, Case& one);
void from_json(const nlohmann::json& json, Comparison& comparison);
void from_json(const nlohmann::json& json, Warning& warning);
void from_json(const nlohmann::json& json, ResultFile& result);

}  // namespace loopbench
