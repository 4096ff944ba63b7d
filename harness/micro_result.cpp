#include "harness/micro_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

namespace loopbench {
namespace {

/// One benchmark of one loop with its repetitions.
struct Instance {
    int family = 0;  ///< as its process numbers it
    std::size_t loop = 0;
    std::vector<BenchmarkJson> runs;
};

std::vector<Instance> instances_of(const std::vector<BenchmarkJson>& repetitions,
                                   std::size_t loop) {
    std::vector<Instance> instances;
    for (const BenchmarkJson& run : repetitions.front().at("benchmarks")) {
        instances.push_back({run.at("family_index").get<int>(), loop, {}});
    }
    for (const BenchmarkJson& repetition : repetitions) {
        const BenchmarkJson& runs = repetition.at("benchmarks");
        if (runs.size() != instances.size()) {
            throw std::runtime_error("a process ran other benchmarks than the one before it");
        }
        for (std::size_t i = 0; i < runs.size(); ++i) instances[i].runs.push_back(runs[i]);
    }
    return instances;
}

bool succeeded(const BenchmarkJson& run) {
    return !run.value("error_occurred", false);
}

// The statistics as src/statistics.cc of Google Benchmark defines them. There are at least two
// values.

double mean_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double deviation_of(const std::vector<double>& values) {
    const double mean = mean_of(values);
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double variation_of(const std::vector<double>& values) {
    return deviation_of(values) / mean_of(values);
}

struct Aggregate {
    const char* name;
    const char* unit;
    double (*compute)(const std::vector<double>& values);
};

constexpr Aggregate aggregates[] = {
    {"mean", "time", mean_of},
    {"median", "time", [](const std::vector<double>& values) { return median_of(values); }},
    {"stddev", "time", deviation_of},
    {"cv", "percentage", variation_of}};

/// What describes a run and is no figure.
bool describes(const std::string& key) {
    static const std::set<std::string> keys{"name",
                                            "family_index",
                                            "per_family_instance_index",
                                            "run_name",
                                            "run_type",
                                            "repetitions",
                                            "repetition_index",
                                            "threads",
                                            "iterations",
                                            "time_unit",
                                            "label"};
    return keys.contains(key);
}

BenchmarkJson aggregate(const Aggregate& how, const std::vector<BenchmarkJson>& runs) {
    const BenchmarkJson& first = runs.front();
    BenchmarkJson result;
    result["name"] = first.at("name").get<std::string>() + "_" + how.name;
    for (const char* key : {"family_index", "per_family_instance_index", "run_name"}) {
        result[key] = first.at(key);
    }
    result["run_type"] = "aggregate";
    result["repetitions"] = first.at("repetitions");
    result["threads"] = first.at("threads");
    result["aggregate_name"] = how.name;
    result["aggregate_unit"] = how.unit;
    result["iterations"] = runs.size();
    for (const auto& [key, value] : first.items()) {
        if (key == "time_unit" || key == "label") result[key] = value;
        if (describes(key)) continue;
        std::vector<double> values;
        for (const BenchmarkJson& run : runs) {
            if (run.contains(key) && run[key].is_number()) values.push_back(run[key]);
        }
        if (values.size() < 2) continue;
        const double figure = how.compute(values);
        if (std::isfinite(figure)) result[key] = figure;
    }
    return result;
}

void append(BenchmarkJson& benchmarks, Instance instance, int family) {
    std::vector<BenchmarkJson> good;
    for (std::size_t i = 0; i < instance.runs.size(); ++i) {
        BenchmarkJson& run = instance.runs[i];
        run["family_index"] = family;
        run["repetitions"] = instance.runs.size();
        run["repetition_index"] = i;
        if (succeeded(run)) good.push_back(run);
        benchmarks.push_back(run);
    }
    if (good.size() < 2) return;
    for (const Aggregate& how : aggregates) {
        BenchmarkJson result = aggregate(how, good);
        // A mean of zero has no coefficient of variation.
        if (result.contains("real_time") && result.contains("cpu_time")) {
            benchmarks.push_back(std::move(result));
        }
    }
}

}  // namespace

BenchmarkJson parse_benchmark_output(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char letter = text[i];
        if (in_string) {
            clean += letter;
            if (letter == '\\' && i + 1 < text.size()) clean += text[++i];
            in_string = letter != '"';
            continue;
        }
        in_string = letter == '"';
        const std::size_t sign = letter == '-' ? 1 : 0;
        const std::string_view rest = text.substr(i + sign);
        if (rest.starts_with("NaN") || rest.starts_with("Infinity")) {
            clean += "null";
            i += sign + (rest.front() == 'N' ? 3 : 8) - 1;
            continue;
        }
        clean += letter;
    }
    return BenchmarkJson::parse(clean);
}

BenchmarkJson merge_turns(const MicroTurns& turns) {
    std::vector<Instance> all;
    for (std::size_t loop = 0; loop < turns.size(); ++loop) {
        for (Instance& instance : instances_of(turns[loop], loop)) {
            all.push_back(std::move(instance));
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Instance& a, const Instance& b) {
        return std::pair(a.family, a.loop) < std::pair(b.family, b.loop);
    });
    BenchmarkJson merged;
    merged["context"] = turns.front().front().at("context");
    BenchmarkJson& benchmarks = merged["benchmarks"] = BenchmarkJson::array();
    int family = -1;
    std::pair<int, std::size_t> previous{-1, 0};
    for (Instance& instance : all) {
        const std::pair<int, std::size_t> mine{instance.family, instance.loop};
        if (std::exchange(previous, mine) != mine) ++family;
        append(benchmarks, std::move(instance), family);
    }
    return merged;
}

BenchmarkJson aggregates_only(const BenchmarkJson& result) {
    std::set<std::string> aggregated;
    for (const BenchmarkJson& run : result.at("benchmarks")) {
        if (run.at("run_type") == "aggregate") aggregated.insert(run.at("run_name"));
    }
    BenchmarkJson fewer;
    fewer["context"] = result.at("context");
    BenchmarkJson& benchmarks = fewer["benchmarks"] = BenchmarkJson::array();
    for (const BenchmarkJson& run : result.at("benchmarks")) {
        const bool single = run.at("run_type") != "aggregate";
        if (!single || !aggregated.contains(run.at("run_name"))) benchmarks.push_back(run);
    }
    return fewer;
}

std::vector<std::string> benchmark_errors(const BenchmarkJson& result) {
    std::vector<std::string> errors;
    for (const BenchmarkJson& run : result.at("benchmarks")) {
        if (succeeded(run)) continue;
        errors.push_back(fmt::format("{}: {}", run.at("name").get<std::string>(),
                                     run.value("error_message", "it failed")));
    }
    return errors;
}

}  // namespace loopbench
