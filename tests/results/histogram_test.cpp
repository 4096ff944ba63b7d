#include "results/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/results/allocation_counter.hpp"

namespace loopbench {
namespace {

constexpr std::uint64_t two_to_63 = std::uint64_t{1} << 63;

TEST(Histogram, SmallValuesAreExact) {
    for (std::uint64_t value = 0; value < 256; ++value) {
        Histogram histogram;
        histogram.record(value);
        histogram.record(1'000'000);
        EXPECT_EQ(histogram.value_at_quantile(0.5), value);
    }
}

TEST(Histogram, EveryValueIsReportedWithinTheStatedError) {
    std::vector<std::uint64_t> values;
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t power = std::uint64_t{1} << bit;
        for (const std::uint64_t value : {power - 1, power, power + 1, power + power / 3}) {
            values.push_back(value);
        }
    }
    for (const std::uint64_t value : values) {
        Histogram histogram;
        histogram.record(value);
        // A larger companion keeps the exact maximum from answering in the bucket's place.
        histogram.record(UINT64_MAX);
        const std::uint64_t reported = histogram.value_at_quantile(0.5);
        EXPECT_GE(reported, value);
        EXPECT_LE(static_cast<double>(reported - value),
                  Histogram::max_relative_error * static_cast<double>(value))
            << value;
    }
}

TEST(Histogram, CoversZeroToTwoToThe63) {
    Histogram histogram;
    histogram.record(0);
    histogram.record(two_to_63);
    EXPECT_EQ(histogram.min(), 0U);
    EXPECT_EQ(histogram.max(), two_to_63);
    EXPECT_EQ(histogram.value_at_quantile(0.5), 0U);
    EXPECT_EQ(histogram.value_at_quantile(1), two_to_63);
    EXPECT_NEAR(histogram.mean(), std::ldexp(1.0, 62), std::ldexp(1.0, 62) * 0.004);
}

TEST(Histogram, RankIsRoundedUpAndNotByABinaryFraction) {
    Histogram histogram;
    for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
    EXPECT_EQ(histogram.value_at_quantile(0), 1U);
    EXPECT_EQ(histogram.value_at_quantile(0.07), 7U);  // 0.07 * 100 is above 7 in binary
    EXPECT_EQ(histogram.value_at_quantile(0.5), 50U);
    EXPECT_EQ(histogram.value_at_quantile(0.501), 51U);
    EXPECT_EQ(histogram.value_at_quantile(0.99), 99U);
    EXPECT_EQ(histogram.value_at_quantile(0.991), 100U);
    EXPECT_EQ(histogram.value_at_quantile(1), 100U);
}

TEST(Histogram, QuantilesNeverExceedTheMaximum) {
    Histogram histogram;
    histogram.record(1'000'001, 5);
    EXPECT_EQ(histogram.value_at_quantile(0.5), 1'000'001U);
    EXPECT_EQ(histogram.mean(), 1'000'001.0);
}

TEST(Histogram, MeanIsWithinHalfABucket) {
    std::mt19937_64 random(7);
    Histogram histogram;
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t value = 1 + random() % 10'000'000;
        histogram.record(value);
        sum += static_cast<double>(value);
    }
    EXPECT_NEAR(histogram.mean(), sum / 10'000, sum / 10'000 * Histogram::max_relative_error / 2);
}

TEST(Histogram, CountsWeigh) {
    Histogram histogram;
    histogram.record(10, 99);
    histogram.record(20, 1);
    histogram.record(30, 0);
    EXPECT_EQ(histogram.count(), 100U);
    EXPECT_EQ(histogram.max(), 20U);
    EXPECT_EQ(histogram.value_at_quantile(0.99), 10U);
    EXPECT_EQ(histogram.value_at_quantile(0.995), 20U);
}

TEST(Histogram, MergeIsTheSameAsRecordingEverythingInOne) {
    std::mt19937_64 random(11);
    Histogram whole;
    std::vector<Histogram> parts(3);
    for (int i = 0; i < 30'000; ++i) {
        const std::uint64_t value = random() >> (random() % 64);
        whole.record(value);
        parts[static_cast<std::size_t>(i % 3)].record(value);
    }
    Histogram merged;
    for (const Histogram& part : parts) merged.merge(part);
    EXPECT_EQ(merged, whole);
    merged.merge(Histogram{});
    EXPECT_EQ(merged, whole);
}

TEST(Histogram, MergeThatOverflowsChangesNothing) {
    Histogram almost_full;
    almost_full.record(1, UINT64_MAX);
    const Histogram before = almost_full;
    Histogram one;
    one.record(5);
    EXPECT_THROW(almost_full.merge(one), std::overflow_error);
    EXPECT_EQ(almost_full, before);
}

TEST(Histogram, AFullCountStillHasQuantiles) {
    Histogram full;
    full.record(1, UINT64_MAX - 1);
    full.record(2, 1);
    EXPECT_EQ(full.value_at_quantile(0.5), 1U);
    EXPECT_EQ(full.value_at_quantile(1), 2U);
}

TEST(Histogram, ClearForgets) {
    Histogram histogram;
    histogram.record(5);
    histogram.clear();
    EXPECT_EQ(histogram, Histogram{});
}

TEST(Histogram, RecordingAllocatesNothing) {
    Histogram histogram;
    const Histogram other = histogram;
    const std::uint64_t before = allocations();
    for (std::uint64_t i = 0; i < 1000; ++i) histogram.record(i * i * i);
    histogram.merge(other);
    histogram.clear();
    EXPECT_EQ(allocations(), before);
    const Histogram copy = histogram;  // the counter does count
    EXPECT_GT(allocations(), before);
    EXPECT_EQ(copy.count(), 0U);
}

TEST(Histogram, PercentileNeedsTenSamplesBeyondIt) {
    const std::vector<std::pair<double, std::uint64_t>> needs = {
        {0.5, 20}, {0.9, 100}, {0.99, 1000}, {0.999, 10'000}};
    for (const auto& [q, needed] : needs) {
        EXPECT_EQ(Histogram::samples_needed(q), needed);
        Histogram histogram;
        histogram.record(42, needed - 1);
        EXPECT_FALSE(histogram.percentile(q).has_value()) << q;
        histogram.record(42);
        EXPECT_EQ(histogram.percentile(q), 42.0) << q;
        EXPECT_FALSE(histogram.percentile(1).has_value());
    }
    EXPECT_FALSE(Histogram{}.percentile(0.5).has_value());
}

TEST(Histogram, JsonKeepsEverything) {
    std::mt19937_64 random(13);
    Histogram histogram;
    for (int i = 0; i < 1000; ++i) histogram.record(random() >> (random() % 64), 1 + random() % 9);
    EXPECT_EQ(Histogram::from_json(nlohmann::json::parse(histogram.to_json().dump())), histogram);
    EXPECT_EQ(Histogram::from_json(Histogram{}.to_json()), Histogram{});
}

TEST(Histogram, JsonIsSparseAndStatesItsGeometry) {
    Histogram histogram;
    histogram.record(3, 2);
    histogram.record(256);
    EXPECT_EQ(histogram.to_json(), nlohmann::json::parse(R"({"sub_bits": 7, 
        "min": 3, "max": 256, "counts": [[3, 2], [256, 1]]})"));
}

TEST(Histogram, ForeignJsonMayLeaveOutTheExtremes) {
    const auto json = nlohmann::json::parse(R"({"sub_bits": 7, "counts": [[3, 2], [384, 1]]})");
    const Histogram histogram = Histogram::from_json(json);
    EXPECT_EQ(histogram.count(), 3U);
    EXPECT_EQ(histogram.min(), 3U);
    EXPECT_EQ(histogram.max(), 515U);  // bucket 384 holds 512 to 515
}

TEST(Histogram, ForeignJsonIsRejected) {
    const auto good =
        nlohmann::json::parse(R"({"sub_bits":7,"min":3,"max":256,"counts":[[3,2],[256,1]]})");
    ASSERT_NO_THROW(Histogram::from_json(good));
    const std::vector<const char*> patches = {
        R"({"sub_bits":8})",
        R"({"sub_bits":null})",
        R"({"min":4})",
        R"({"max":1000})",
        R"({"min":-3})",
        R"({"min":3.0})",
        R"({"counts":null})",
        R"({"counts":{}})",
        R"({"counts":[]})",
        R"({"counts":[3,256]})",
        R"({"counts":[[3,2,1],[256,1]]})",
        R"({"counts":[[3,-2],[256,5]]})",
        R"({"counts":[[-3,2],[256,1]]})",
        R"({"counts":[[3,2],[200,0],[256,1]]})",
        R"({"counts":[[256,1],[3,2]]})",
        R"({"counts":[[3,1],[3,1],[256,1]]})",
        R"({"counts":[[3,2],[7424,1]]})",
        R"({"counts":[[3,18446744073709551615],[256,4]]})",
    };
    for (const char* patch : patches) {
        nlohmann::json bad = good;
        bad.merge_patch(nlohmann::json::parse(patch));
        EXPECT_THROW(Histogram::from_json(bad), std::invalid_argument) << patch;
    }
    EXPECT_THROW(Histogram::from_json(nlohmann::json::array()), std::invalid_argument);
    // Within one bucket the two must still be in order.
    EXPECT_THROW(Histogram::from_json(nlohmann::json::parse(
                     R"({"sub_bits":7,"min":513,"max":512,"counts":[[384,2]]})")),
                 std::invalid_argument);
}

}  // namespace
}  // namespace loopbench
