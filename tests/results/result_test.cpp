#include "results/result.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "tests/results/sample_result.hpp"

namespace loopbench {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

TEST(Result, SurvivesJson) {
    const ResultFile result = sample_result();
    const nlohmann::json json = result;
    EXPECT_EQ(nlohmann::json::parse(json.dump()).get<ResultFile>(), result);
}

TEST(Result, OptionalPartsSurviveJson) {
    ResultFile result = sample_result();
    result.gate = {{"looks", 3}};
    result.sittings = nlohmann::json::array({1});
    result.claims = nlohmann::json::array();
    result.complete = false;
    const nlohmann::json json = result;
    EXPECT_EQ(json.get<ResultFile>(), result);
    EXPECT_FALSE(nlohmann::json(sample_result()).contains("gate"));
}

TEST(Result, KeysAreThoseOfTheDesign) {
    const nlohmann::json json = sample_result();
    const auto keys = [](const nlohmann::json& object) {
        std::set<std::string> names;
        for (const auto& [key, value] : object.items()) names.insert(key);
        return names;
    };
    EXPECT_EQ(keys(json),
              (std::set<std::string>{"schema", "created", "loopbench", "environment", "plan",
                                     "arms", "cases", "comparisons", "warnings", "complete"}));
    EXPECT_EQ(json["schema"], "loopbench-result/1");
    EXPECT_EQ(json["plan"], nlohmann::json::parse(R"({"seed": 9007199254740991, "blocks": 8,
        "slices": 8, "slice_ms": 30.0, "cpus": [1, 0], "budget_s": 30})"));
    EXPECT_EQ(json["cases"][0]["metrics"]["cpu_ns_per_op"],
              nlohmann::json::parse(R"({"unit": "ns", "better": "lower", "median": 5123.5,
        "ci95": [5060.0, 5190.0], "n": 8})"));
    EXPECT_EQ(json["cases"][0]["metrics"]["latency_p999"],
              nlohmann::json::parse(R"({"unit": "ns", "better": "lower", "median": null,
        "ci95": null, "n": 0, "reason": "9000 samples; 10000 are needed"})"));
    EXPECT_EQ(json["warnings"][0], nlohmann::json::parse(R"({"grade": "note", "id": "governor",
        "text": "no frequency governor is visible", "remedy": ""})"));
}

TEST(Result, MetricThatIsNotFiniteIsNullWithAReason) {
    for (const double bad : {nan, infinity, -infinity}) {
        MetricValue value = make_metric_value(*find_metric("throughput"));
        value.median = bad;
        value.ci95 = Interval{1, 2};
        value.n = 8;
        const nlohmann::json json = value;
        EXPECT_TRUE(json["median"].is_null());
        EXPECT_TRUE(json["ci95"].is_null());
        EXPECT_EQ(json["reason"], "the figure is not a finite number");
    }
}

TEST(Result, IntervalThatIsNotFiniteIsNullWithAReason) {
    Comparison comparison = sample_result().comparisons[0];
    comparison.ci95 = Interval{1, infinity};
    const nlohmann::json json = comparison;
    EXPECT_EQ(json["ratio"], 1.15);
    EXPECT_TRUE(json["ci95"].is_null());
    EXPECT_EQ(json["reason"], "the figure is not a finite number");
}

TEST(Result, AMissingFigureAlwaysHasAReason) {
    const nlohmann::json json = make_metric_value(*find_metric("throughput"));
    EXPECT_EQ(json["reason"], "not measured");
}

TEST(Result, AFreeFormNumberThatIsNotFiniteIsNull) {
    ResultFile result = sample_result();
    result.environment["load"] = {1.5, nan};
    result.cases[0].samples[0]["x"] = infinity;
    const nlohmann::json json = result;
    EXPECT_EQ(json["environment"]["load"], (nlohmann::json{1.5, nullptr}));
    EXPECT_TRUE(json["cases"][0]["samples"][0]["x"].is_null());
}

TEST(Result, TimestampIsRfc3339InUtc) {
    using namespace std::chrono;
    EXPECT_EQ(utc_timestamp(sys_days{2026y / March / 1} + 12h + 34min + 56s + 789ms),
              "2026-03-01T12:34:56Z");
    EXPECT_EQ(utc_timestamp(system_clock::time_point{}), "1970-01-01T00:00:00Z");
}

TEST(Metrics, EachIsNamedOnceAndDescribedInALine) {
    std::set<std::string_view> names;
    const std::set<std::string_view> units = {"ns", "op/s", "B", "B/s", "1/op", "1/s", "op", "1"};
    for (const MetricDefinition& metric : metric_definitions()) {
        EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
        EXPECT_TRUE(units.contains(metric.unit)) << metric.name;
        EXPECT_FALSE(metric.label.empty()) << metric.name;
        EXPECT_FALSE(metric.description.empty()) << metric.name;
        EXPECT_EQ(metric.description.find('\n'), std::string_view::npos) << metric.name;
        EXPECT_EQ(find_metric(metric.name), &metric);
    }
    EXPECT_EQ(find_metric("cpu_ns_per_opp"), nullptr);
    EXPECT_EQ(find_metric("cpu_ns_per_op")->better, Better::lower);
    EXPECT_EQ(find_metric("throughput")->better, Better::higher);
}

}  // namespace
}  // namespace loopbench
