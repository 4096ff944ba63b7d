#include "results/table.hpp"

#include <gtest/gtest.h>

#include "results/quantity.hpp"
#include "tests/results/sample_result.hpp"

namespace loopbench {
namespace {

std::string with_error(double value, std::string_view unit, double error) {
    return format_quantity(value, unit, Interval{value - error, value + error});
}

TEST(Quantity, IsRoundedToItsUncertainty) {
    EXPECT_EQ(with_error(5123.4, "ns", 60), "5.12 µs");
    EXPECT_EQ(with_error(5123.4, "ns", 6), "5.123 µs");
    EXPECT_EQ(with_error(5123.4, "ns", 600), "5.1 µs");
    EXPECT_EQ(with_error(5123.4, "ns", 6000), "5 µs");
    EXPECT_EQ(with_error(312'345, "op/s", 5000), "312 k/s");
    EXPECT_EQ(with_error(2.0213, "1/op", 0.03), "2.02");
    EXPECT_EQ(with_error(4.31, "ns", 0.02), "4.31 ns");
    // An interval that reaches further to one side counts by that side.
    EXPECT_EQ(format_quantity(5123.4, "ns", Interval{5120, 5800}), "5.1 µs");
}

TEST(Quantity, IsNeverMoreThanFiveDigits) {
    EXPECT_EQ(with_error(5123.456, "ns", 0.001), "5.1235 µs");
}

TEST(Quantity, HasThreeDigitsWithoutAnInterval) {
    EXPECT_EQ(format_quantity(5123.4, "ns", std::nullopt), "5.12 µs");
    EXPECT_EQ(format_quantity(51234, "ns", std::nullopt), "51.2 µs");
    EXPECT_EQ(format_quantity(512'345, "ns", std::nullopt), "512 µs");
    EXPECT_EQ(format_quantity(0.01234, "1/op", std::nullopt), "0.0123");
    EXPECT_EQ(format_quantity(1.5, "op", std::nullopt), "1.50");
    EXPECT_EQ(format_quantity(9.996, "op", std::nullopt), "10.0");
}

TEST(Quantity, WholeNumbersAreGivenWhole) {
    EXPECT_EQ(format_quantity(65'536, "B", std::nullopt), "64 KiB");
    EXPECT_EQ(format_quantity(64, "op", Interval{64, 64}), "64");
    EXPECT_EQ(format_quantity(0, "1/op", Interval{0, 0}), "0");
    EXPECT_EQ(format_quantity(0, "ns", std::nullopt), "0 ns");
    EXPECT_EQ(format_quantity(12'345, "op", std::nullopt), "12345");
}

TEST(Quantity, TakesTheScaleThatFits) {
    EXPECT_EQ(format_quantity(999.4, "ns", std::nullopt), "999 ns");
    EXPECT_EQ(format_quantity(999.96, "ns", std::nullopt), "1.00 µs");
    EXPECT_EQ(format_quantity(2.5e6, "ns", std::nullopt), "2.50 ms");
    EXPECT_EQ(format_quantity(7.25e10, "ns", std::nullopt), "72.5 s");
    EXPECT_EQ(format_quantity(950, "1/s", std::nullopt), "950 /s");
    EXPECT_EQ(format_quantity(1.8e8, "1/s", Interval{1.79e8, 1.81e8}), "180 M/s");
    EXPECT_EQ(format_quantity(1.234e9, "B/s", std::nullopt), "1.23 GB/s");
    EXPECT_EQ(format_quantity(5.5 * 1024 * 1024, "B", std::nullopt), "5.50 MiB");
    EXPECT_EQ(format_quantity(-1500, "ns", std::nullopt), "-1.50 µs");
}

TEST(Quantity, StatesHowFarItsIntervalReaches) {
    EXPECT_EQ(format_uncertainty(100, {98.8, 101}), "±1.2%");
    EXPECT_EQ(format_uncertainty(100, {60, 150}), "±50%");
    EXPECT_EQ(format_uncertainty(100, {90.03, 101}), "±10%");
    EXPECT_EQ(format_uncertainty(100, {100, 100}), "±0%");
    EXPECT_EQ(format_uncertainty(100, {99.99, 100}), "±<0.1%");
    EXPECT_EQ(format_uncertainty(0, {0, 0.25}), "±0.25");
}

TEST(Table, CountsCharactersAndNotBytes) {
    EXPECT_EQ(display_width(""), 0U);
    EXPECT_EQ(display_width("5.12 us"), 7U);
    EXPECT_EQ(display_width("5.12 µs ±1%"), 11U);
    EXPECT_EQ(display_width("–—×¹⁰"), 5U);
}

TEST(Footnotes, AreNumberedAsTheyComeAndKeptOnce) {
    Footnotes footnotes;
    EXPECT_EQ(footnotes.render(), "");
    EXPECT_EQ(footnotes.mark("a"), "¹");
    EXPECT_EQ(footnotes.mark("b"), "²");
    EXPECT_EQ(footnotes.mark("a"), "¹");
    EXPECT_EQ(footnotes.render(), "¹ a\n² b\n");
    for (char letter = 'c'; letter <= 'j'; ++letter) footnotes.mark(std::string(1, letter));
    EXPECT_EQ(footnotes.mark("k"), "¹¹");
}

TEST(Table, FormatsMetricsAndRatios) {
    const ResultFile result = sample_result();
    Footnotes footnotes;
    const auto& metrics = result.cases[0].metrics;
    EXPECT_EQ(format_cell(metrics.at("cpu_ns_per_op"), footnotes), "5.12 µs ±1.3%");
    EXPECT_EQ(format_cell(metrics.at("throughput"), footnotes), "195 k/s ¹");
    EXPECT_EQ(format_cell(metrics.at("latency_p999"), footnotes), "—²");
    Comparison comparison = result.comparisons[0];
    EXPECT_EQ(format_cell(comparison, footnotes), "1.150 [1.130, 1.170]");
    comparison.ci95 = Interval{1.0, 1.3};
    EXPECT_EQ(format_cell(comparison, footnotes), "1.15 [1.00, 1.30]");
    comparison.ci95.reset();
    comparison.reason = "3 blocks; a 95% interval needs 6";
    EXPECT_EQ(format_cell(comparison, footnotes), "1.150 ¹");
    comparison.ratio.reset();
    comparison.reason = "not measured";
    EXPECT_EQ(format_cell(comparison, footnotes), "—³");
}

TEST(Table, IsAligned) {
    const ResultFile result = sample_result();
    Footnotes footnotes;
    Table table({{"", Table::Align::left}, {"lockstep"}, {"remark", Table::Align::left}});
    for (const auto& [name, value] : result.cases[0].metrics) {
        table.add_row({std::string(find_metric(name)->label), format_cell(value, footnotes)});
    }
    table.add_row({"CPU × 2 – µ", "1", "not like for like"});
    EXPECT_EQ(table.render() + footnotes.render(),
              "                        lockstep  remark\n"
              "─────────────────  ─────────────  ─────────────────\n"
              "CPU per operation  5.12 µs ±1.3%\n"
              "latency p99.9                 —¹\n"
              "throughput             195 k/s ²\n"
              "CPU × 2 – µ                    1  not like for like\n"
              "¹ 9000 samples; 10000 are needed\n"
              "² 3 blocks; a 95% interval needs 6\n");
}

TEST(Table, WithoutRowsIsItsHead) {
    EXPECT_EQ(Table({{"one"}, {"two"}}).render(), "one  two\n───  ───\n");
}

}  // namespace
}  // namespace loopbench
