#include "results/validation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "results/json_schema.hpp"
#include "tests/results/sample_result.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

std::string first_error(const json& document) {
    const auto errors = validate_result(document);
    return errors.empty() ? "" : errors.front();
}

TEST(Validation, AFullResultIsValid) {
    ResultFile result = sample_result();
    EXPECT_EQ(first_error(result), "");
    result.gate = json{{"form", "aa"},
                       {"reference", "itself"},
                       {"decision", "PASS"},
                       {"inconclusive", "inconclusive"},
                       {"alpha", json::object()},
                       {"cells", json::array()}};
    result.sittings = json::array();
    result.claims = json::array();
    EXPECT_EQ(first_error(result), "");
}

TEST(Validation, AnEmptyIncompleteResultIsValid) {
    ResultFile result;
    result.created = "2026-03-01T12:34:56Z";
    result.loopbench = {"0.1.0", "unknown", "GCC", ""};
    EXPECT_EQ(first_error(result), "");
}

TEST(Validation, WhateverTheModelWritesForMissingFiguresIsValid) {
    ResultFile result = sample_result();
    result.cases[0].metrics["throughput"].median = std::nan("");
    result.cases[0].metrics["throughput"].reason.clear();
    result.comparisons[0].ratio.reset();
    result.comparisons[0].ci95.reset();
    result.comparisons[0].verdict = "no verdict: shared queue";
    EXPECT_EQ(first_error(result), "");
}

/// A JSON Patch (RFC 6902) that spoils the sample result, and where the error must be reported.
struct Mutation {
    const char* what;
    const char* patch;
    const char* at;
};

class SpoiltResult : public ::testing::TestWithParam<Mutation> {};

TEST_P(SpoiltResult, IsRejectedAtTheRightPlace) {
    const Mutation& mutation = GetParam();
    const json spoilt = json(sample_result()).patch(json::array({json::parse(mutation.patch)}));
    const auto errors = validate_result(spoilt);
    ASSERT_FALSE(errors.empty()) << mutation.what;
    bool found = false;
    std::string all;
    for (const std::string& error : errors) {
        found = found || error.rfind(std::string(mutation.at) + ":", 0) == 0;
        all += error + "\n";
    }
    EXPECT_TRUE(found) << all;
}

constexpr const char* cpu = "/cases/0/metrics/cpu_ns_per_op";
constexpr const char* p999 = "/cases/0/metrics/latency_p999";
constexpr const char* throughput = "/cases/0/metrics/throughput";

INSTANTIATE_TEST_SUITE_P(
    Mutations, SpoiltResult,
    ::testing::Values(
        Mutation{"other_schema",
                 R"({"op":"replace","path":"/schema","value":"loopbench-result/2"})", "/schema"},
        Mutation{"no_schema", R"({"op":"remove","path":"/schema"})", "/"},
        Mutation{"unknown_top_level_key", R"({"op":"add","path":"/extra","value":1})", "/"},
        Mutation{"local_time",
                 R"({"op":"replace","path":"/created","value":"2026-03-01T12:34:56+01:00"})",
                 "/created"},
        Mutation{"no_commit", R"({"op":"remove","path":"/loopbench/commit"})", "/loopbench"},
        Mutation{"complete_as_text", R"({"op":"replace","path":"/complete","value":"true"})",
                 "/complete"},
        Mutation{"negative_seed", R"({"op":"replace","path":"/plan/seed","value":-1})",
                 "/plan/seed"},
        Mutation{"seed_beyond_2_to_53",
                 R"({"op":"replace","path":"/plan/seed","value":9007199254740992})", "/plan/seed"},
        Mutation{"fractional_blocks", R"({"op":"replace","path":"/plan/blocks","value":1.5})",
                 "/plan/blocks"},
        Mutation{"cpu_by_name", R"({"op":"replace","path":"/plan/cpus/1","value":"0"})",
                 "/plan/cpus/1"},
        Mutation{"arm_without_description", R"({"op":"remove","path":"/arms/0/describe"})",
                 "/arms/0"},
        Mutation{"arm_twice", R"({"op":"replace","path":"/arms/1/id","value":"uv"})", "/arms"},
        Mutation{"case_of_unknown_arm", R"({"op":"replace","path":"/cases/0/arm","value":"uvv"})",
                 "/cases/0/arm"},
        Mutation{"unknown_placement",
                 R"({"op":"replace","path":"/cases/0/placement","value":"apart"})",
                 "/cases/0/placement"},
        Mutation{"no_samples", R"({"op":"remove","path":"/cases/0/samples"})", "/cases/0"},
        Mutation{"sample_without_block", R"({"op":"remove","path":"/cases/0/samples/0/block"})",
                 "/cases/0/samples/0"},
        Mutation{"metric_name",
                 R"({"op":"move","from":"/cases/0/metrics/throughput",
                     "path":"/cases/0/metrics/Through put"})",
                 "/cases/0/metrics"},
        Mutation{"better_as_sign",
                 R"({"op":"replace","path":"/cases/0/metrics/throughput/better","value":"more"})",
                 "/cases/0/metrics/throughput/better"},
        Mutation{"no_unit", R"({"op":"remove","path":"/cases/0/metrics/throughput/unit"})",
                 throughput},
        Mutation{"median_as_text",
                 R"({"op":"replace","path":"/cases/0/metrics/cpu_ns_per_op/median","value":"5"})",
                 "/cases/0/metrics/cpu_ns_per_op/median"},
        Mutation{"null_median_with_an_interval",
                 R"({"op":"replace","path":"/cases/0/metrics/cpu_ns_per_op/median","value":null})",
                 "/cases/0/metrics/cpu_ns_per_op/median"},
        Mutation{"null_without_a_reason",
                 R"({"op":"remove","path":"/cases/0/metrics/latency_p999/reason"})", p999},
        Mutation{"no_interval_without_a_reason",
                 R"({"op":"remove","path":"/cases/0/metrics/throughput/reason"})", throughput},
        Mutation{"a_reason_beside_a_figure",
                 R"({"op":"add","path":"/cases/0/metrics/cpu_ns_per_op/reason","value":"x"})", cpu},
        Mutation{"interval_of_three",
                 R"({"op":"add","path":"/cases/0/metrics/cpu_ns_per_op/ci95/-","value":6000})",
                 "/cases/0/metrics/cpu_ns_per_op/ci95"},
        Mutation{"interval_upside_down",
                 R"({"op":"replace","path":"/cases/0/metrics/cpu_ns_per_op/ci95","value":[2,1]})",
                 "/cases/0/metrics/cpu_ns_per_op/ci95"},
        Mutation{"interval_from_no_blocks",
                 R"({"op":"replace","path":"/cases/0/metrics/cpu_ns_per_op/n","value":0})",
                 "/cases/0/metrics/cpu_ns_per_op/n"},
        Mutation{"unknown_verdict",
                 R"({"op":"replace","path":"/comparisons/0/verdict","value":"winner"})",
                 "/comparisons/0/verdict"},
        Mutation{"comparison_with_unknown_reference",
                 R"({"op":"replace","path":"/comparisons/0/reference","value":"bear"})",
                 "/comparisons/0/reference"},
        Mutation{"ratio_missing", R"({"op":"remove","path":"/comparisons/0/ratio"})",
                 "/comparisons/0"},
        Mutation{"unknown_grade", R"({"op":"replace","path":"/warnings/0/grade","value":"error"})",
                 "/warnings/0/grade"},
        Mutation{"warning_without_text", R"({"op":"replace","path":"/warnings/0/text","value":""})",
                 "/warnings/0/text"}),
    [](const auto& mutation) { return std::string(mutation.param.what); });

TEST(Validation, ReadsWhatIsValidAndSaysWhatIsNot) {
    EXPECT_EQ(read_result(json(sample_result()).dump()), sample_result());
    EXPECT_THROW(read_result("{"), std::invalid_argument);
    EXPECT_THROW(read_result("[]"), std::invalid_argument);
    try {
        json spoilt = sample_result();
        spoilt["complete"] = 1;
        read_result(spoilt.dump());
        FAIL() << "was accepted";
    } catch (const std::invalid_argument& error) {
        EXPECT_NE(std::string(error.what()).find("/complete"), std::string::npos) << error.what();
    }
}

TEST(JsonSchema, RejectsWhatIsNoSchema) {
    EXPECT_THROW(JsonSchema("{"), std::invalid_argument);
    EXPECT_THROW(JsonSchema("[]"), std::invalid_argument);
    EXPECT_THROW(JsonSchema(R"({"type": "number-like"})"), std::invalid_argument);
}

TEST(JsonSchema, NamesThePlaceOfTheCauseOnly) {
    const JsonSchema schema(R"({"properties": {"a": {"items": {"type": "integer"}}}})");
    EXPECT_TRUE(schema.validate(json::parse(R"({"a": [1, 2]})")).empty());
    const auto errors = schema.validate(json::parse(R"({"a": [1, "2"]})"));
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].rfind("/a/1: ", 0), 0U) << errors[0];
}

}  // namespace
}  // namespace loopbench
