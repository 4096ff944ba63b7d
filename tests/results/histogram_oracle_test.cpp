// Compares Histogram with hdr-histogram-js, an independent implementation of the same definition.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "results/histogram.hpp"

namespace loopbench {
namespace {

const std::vector<double> quantiles = {0,   0.001, 0.01, 0.07,  0.25,   0.5,     0.75,
                                       0.9, 0.95,  0.99, 0.999, 0.9999, 0.99999, 1};

/// Both are configured to round a value up within its bucket, by at most 1/128 here and 1/10^4
/// there, so two reports of one order statistic are no further apart than these factors.
constexpr double oracle_relative_error = 1e-4;

nlohmann::json ask_oracle(const std::filesystem::path& values) {
    std::string command = fmt::format("node {}/tests/results/histogram_oracle.mjs {}",
                                      LOOPBENCH_SOURCE_DIR, values.string());
    for (const double q : quantiles) command += fmt::format(" {}", q);
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return nullptr;
    std::string output;
    char buffer[4096];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) {
        output.append(buffer, n);
    }
    if (pclose(pipe) != 0) return nullptr;
    return nlohmann::json::parse(output, nullptr, false);
}

void compare(const std::string& name, const std::vector<std::uint64_t>& values) {
    Histogram histogram;
    const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) /
                                       fmt::format("loopbench-{}-{}", name, getpid());
    {
        std::ofstream file(path);
        for (const std::uint64_t value : values) {
            file << value << '\n';
            histogram.record(value);
        }
    }
    const nlohmann::json oracle = ask_oracle(path);
    std::filesystem::remove(path);
    ASSERT_TRUE(oracle.is_object()) << "node failed; see its message above";

    EXPECT_EQ(histogram.count(), oracle["count"].get<std::uint64_t>());
    EXPECT_EQ(histogram.min(), oracle["min"].get<std::uint64_t>());
    // The oracle rounds its maximum up within its own, narrower bucket.
    EXPECT_NEAR(static_cast<double>(histogram.max()), oracle["max"].get<double>(),
                oracle_relative_error * oracle["max"].get<double>());
    for (std::size_t i = 1; i < quantiles.size(); ++i) {
        const double ours = static_cast<double>(histogram.value_at_quantile(quantiles[i]));
        const auto theirs = oracle["quantiles"][i].get<double>();
        EXPECT_GE(ours * (1 + oracle_relative_error), theirs) << name << " " << quantiles[i];
        EXPECT_LE(ours, theirs * (1 + Histogram::max_relative_error)) << name << quantiles[i];
    }
}

TEST(HistogramOracle, AgreesWithHdrHistogram) {
    if (!std::filesystem::exists(LOOPBENCH_SOURCE_DIR "/node_modules/hdr-histogram-js")) {
        GTEST_SKIP() << "hdr-histogram-js is not installed; `npm ci` installs it";
    }
    std::mt19937_64 random(20240229);
    const auto draw = [](std::size_t n, const std::function<double()>& next) {
        std::vector<std::uint64_t> values(n);
        std::generate(values.begin(), values.end(), [&] {
            return static_cast<std::uint64_t>(std::clamp(next(), 0.0, std::ldexp(1.0, 51)));
        });
        return values;
    };
    std::lognormal_distribution<double> latency(std::log(5e4), 1.0);
    std::uniform_real_distribution<double> exponent(0, 51);
    std::uniform_real_distribution<double> small(0, 300);
    std::bernoulli_distribution rare(0.002);
    compare("latency", draw(100'000, [&] { return latency(random); }));
    compare("all-octaves", draw(20'000, [&] { return std::exp2(exponent(random)); }));
    compare("small", draw(5'000, [&] { return small(random); }));
    compare("two-modes", draw(50'000, [&] { return latency(random) + (rare(random) ? 2e7 : 0); }));
    compare("one-value", {123'457});
}

}  // namespace
}  // namespace loopbench
