// What the processes of `loopbench micro` print becomes one result, as Google Benchmark would have
// written it.

#include "harness/micro_result.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace loopbench {
namespace {

/// Three repetitions with their aggregates, as a program of Google Benchmark 1.7.1's wrote them.
BenchmarkJson recorded() {
    std::ifstream file(LOOPBENCH_TEST_DIRECTORY "/three_repetitions.json");
    return parse_benchmark_output(std::string{std::istreambuf_iterator<char>(file), {}});
}

/// What a process that runs one repetition prints.
BenchmarkJson turn(std::vector<BenchmarkJson> runs) {
    BenchmarkJson output;
    output["context"]["host_name"] = "here";
    output["benchmarks"] = BenchmarkJson::array();
    for (BenchmarkJson& run : runs) {
        run["repetitions"] = 1;
        run["repetition_index"] = 0;
        output["benchmarks"].push_back(run);
    }
    return output;
}

BenchmarkJson run(const std::string& name, int family, double time) {
    return {{"name", name},       {"family_index", family},  {"per_family_instance_index", 0},
            {"run_name", name},   {"run_type", "iteration"}, {"threads", 1},
            {"iterations", 1000}, {"real_time", time},       {"cpu_time", time / 2},
            {"time_unit", "ns"}};
}

std::vector<std::string> names_of(const BenchmarkJson& result) {
    std::vector<std::string> names;
    for (const auto& entry : result["benchmarks"]) names.push_back(entry["name"]);
    return names;
}

TEST(MicroResultTest, AggregatesAreGoogleBenchmarks) {
    const BenchmarkJson expected = recorded();
    std::vector<BenchmarkJson> repetitions;
    for (const auto& entry : expected["benchmarks"]) {
        if (entry["run_type"] == "iteration") repetitions.push_back(turn({entry}));
    }
    ASSERT_EQ(repetitions.size(), 3U);
    const BenchmarkJson merged = merge_turns({repetitions});
    ASSERT_EQ(names_of(merged), names_of(expected));
    for (std::size_t i = 0; i < expected["benchmarks"].size(); ++i) {
        const BenchmarkJson& theirs = expected["benchmarks"][i];
        const BenchmarkJson& ours = merged["benchmarks"][i];
        EXPECT_EQ(ours.size(), theirs.size()) << ours;
        auto key = theirs.begin();
        for (const auto& [name, value] : ours.items()) {
            EXPECT_EQ(name, key.key()) << "in another order";
            if (value.is_number_float()) {
                EXPECT_NEAR(value.get<double>(), key->get<double>(), 1e-9 * key->get<double>());
            } else {
                EXPECT_EQ(value, *key) << name;
            }
            ++key;
        }
    }
}

TEST(MicroResultTest, FamiliesAreNumberedAnewAndAPrimitivesLoopsStandTogether) {
    const auto of = [](const std::string& loop) {
        return std::vector{turn({run(loop + "/post", 0, 1), run(loop + "/read_byte", 1, 2)})};
    };
    const BenchmarkJson merged = merge_turns({of("epoll"), of("uv")});
    EXPECT_EQ(names_of(merged), (std::vector<std::string>{"epoll/post", "uv/post",
                                                          "epoll/read_byte", "uv/read_byte"}));
    for (int family = 0; family < 4; ++family) {
        EXPECT_EQ(merged["benchmarks"][static_cast<std::size_t>(family)]["family_index"], family);
    }
    EXPECT_EQ(merged["context"]["host_name"], "here");
}

TEST(MicroResultTest, WhatFailedIsNotPartOfTheAggregates) {
    BenchmarkJson failed = run("epoll/post", 0, 0);
    failed["error_occurred"] = true;
    failed["error_message"] = "no luck";
    const BenchmarkJson good = turn({run("epoll/post", 0, 10)});
    const BenchmarkJson merged = merge_turns({{good, turn({failed}), good}});
    EXPECT_EQ(merged["benchmarks"].size(), 3U + 4U);
    EXPECT_EQ(merged["benchmarks"][3]["real_time"], 10);
    EXPECT_EQ(merged["benchmarks"][3]["iterations"], 2);
    EXPECT_EQ(benchmark_errors(merged), std::vector<std::string>{"epoll/post: no luck"});

    EXPECT_EQ(merge_turns({{good, turn({failed})}})["benchmarks"].size(), 2U) << "no aggregates";
}

TEST(MicroResultTest, ABareNanBecomesNullAndNothingElseIsChanged) {
    const BenchmarkJson parsed = parse_benchmark_output(
        R"({"a": NaN, "b": -NaN, "c": [Infinity,-Infinity], "NaN": "-Infinity \" NaN", "d": -1})");
    EXPECT_EQ(parsed.dump(),
              R"({"a":null,"b":null,"c":[null,null],"NaN":"-Infinity \" NaN","d":-1})");
}

TEST(MicroResultTest, AnAggregateThatIsNoNumberIsLeftOut) {
    const BenchmarkJson nothing = turn({run("epoll/post", 0, 0)});
    const BenchmarkJson merged = merge_turns({{nothing, nothing}});
    EXPECT_EQ(names_of(merged).back(), "epoll/post_stddev") << "zero has no variation";
}

TEST(MicroResultTest, AggregatesStandAloneWhereThereAreAny) {
    const BenchmarkJson once = merge_turns({{turn({run("epoll/post", 0, 1)})}});
    EXPECT_EQ(aggregates_only(once), once);
    const BenchmarkJson few = aggregates_only(recorded());
    EXPECT_EQ(names_of(few), (std::vector<std::string>{"epoll/post_mean", "epoll/post_median",
                                                       "epoll/post_stddev", "epoll/post_cv"}));
}

TEST(MicroResultTest, OtherBenchmarksInALaterTurnAreAnError) {
    const BenchmarkJson one = turn({run("epoll/post", 0, 1)});
    const BenchmarkJson two = turn({run("epoll/post", 0, 1), run("epoll/read_byte", 1, 1)});
    EXPECT_THROW(merge_turns({{one, two}}), std::runtime_error);
}

}  // namespace
}  // namespace loopbench
