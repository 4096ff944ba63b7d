#include "harness/speed_probe.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <system_error>

#include "harness/placement.hpp"

namespace loopbench {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

TEST(SpreadTest, EqualPiecesDoNotVary) {
    const auto spread = spread_of(std::vector<double>(400, 250'000), 5e6);
    ASSERT_TRUE(spread);
    EXPECT_NEAR(spread->single, 0, 1e-12);
    EXPECT_NEAR(spread->paired, 0, 1e-12);
}

TEST(SpreadTest, ASlowDriftDropsOutOfPairs) {
    std::vector<double> pieces;
    for (int i = 0; i < 4000; ++i) pieces.push_back(250'000 * std::exp(0.0001 * i));
    const auto spread = spread_of(pieces, 5e6);
    ASSERT_TRUE(spread);
    // 200 stretches, uniform over 0.4 in the logarithm: 0.4/√12.
    EXPECT_NEAR(spread->single, 0.4 / std::sqrt(12.0), 0.005);
    EXPECT_NEAR(spread->paired, 0, 1e-6);
}

TEST(SpreadTest, NeighboursThatDifferStayInPairs) {
    std::vector<double> pieces;
    for (int stretch = 0; stretch < 40; ++stretch) {
        // Slow, fast, fast, slow, …: half of the pairs each way.
        const bool slow = stretch % 4 == 0 || stretch % 4 == 3;
        pieces.insert(pieces.end(), 20, slow ? 1.02 * 250'000 : 250'000);
    }
    const auto spread = spread_of(pieces, 5e6);
    ASSERT_TRUE(spread);
    EXPECT_NEAR(spread->single, std::log(1.02) / 2, 0.0005);
    EXPECT_NEAR(spread->paired, std::log(1.02), 0.001);
}

TEST(SpreadTest, FewStretchesSayNothing) {
    EXPECT_FALSE(spread_of({}, 5e6));
    EXPECT_FALSE(spread_of(std::vector<double>(7 * 20, 250'000), 5e6));
    EXPECT_TRUE(spread_of(std::vector<double>(8 * 20, 250'000), 5e6));
}

TEST(InterruptsTest, DevicesOfOneProcessorAreCounted) {
    const char* text =
        "           CPU0       CPU2       \n"
        " 24:          1         52  IO-APIC  24-edge  virtio0\n"
        "130:          7          0  PCI-MSI  eth0\n"
        "LOC:    9999999    8888888  Local timer interrupts\n"
        "ERR:          3\n";
    EXPECT_EQ(parse_interrupts(text, 2), (Interrupts{{24, 52}, {130, 0}}));
    EXPECT_EQ(parse_interrupts(text, 0), (Interrupts{{24, 1}, {130, 7}}));
    EXPECT_TRUE(parse_interrupts(text, 1).empty());
    EXPECT_TRUE(parse_interrupts("", 0).empty());
}

/// A second on processor 1 in which everything was as it should be.
BusyStretch quiet() {
    BusyStretch stretch;
    stretch.cpu = 1;
    stretch.elapsed_ns = second;
    stretch.cpu_ns = second;
    stretch.piece_ns.assign(4000, 250'000);
    stretch.before.ran_ns = 0;
    stretch.after.ran_ns = second;
    stretch.before.steal_ticks = stretch.after.steal_ticks = 5;
    stretch.before.throttled_times = stretch.after.throttled_times = 7;
    stretch.interrupts = {{24, 3}, {25, 0}};
    return stretch;
}

TEST(BusyStretchTest, AQuietSecondIsFine) {
    const BusyStretch stretch = quiet();
    for (const Finding& finding :
         {check_delivered(stretch), check_steal(stretch), check_foreign_use(stretch),
          check_throttling(stretch), check_interrupts(stretch), check_drift(stretch)}) {
        EXPECT_FALSE(finding.grade) << finding.id << ": " << finding.text;
        EXPECT_NE(finding.shown, "not told") << finding.id;
    }
}

TEST(BusyStretchTest, AProcessorThatIsNotDeliveredIsUnfit) {
    BusyStretch stretch = quiet();
    stretch.cpu_ns = second * 95 / 100;
    EXPECT_EQ(check_delivered(stretch).grade, Grade::note);
    stretch.cpu_ns = second * 85 / 100;
    EXPECT_EQ(check_delivered(stretch).grade, Grade::unfit);
    EXPECT_EQ(check_delivered(stretch).value, 0.85);
}

TEST(BusyStretchTest, WhatOthersUsedIsToldApart) {
    BusyStretch stretch = quiet();
    stretch.cpu_ns = second * 95 / 100;
    EXPECT_EQ(check_foreign_use(stretch).grade, Grade::note);
    EXPECT_NEAR(check_foreign_use(stretch).value.get<double>(), 0.05, 1e-9);
    stretch.after.ran_ns.reset();
    stretch.unknown = "it is not known";
    EXPECT_EQ(check_foreign_use(stretch).text, "it is not known");
    EXPECT_TRUE(check_foreign_use(stretch).value.is_null());
}

TEST(BusyStretchTest, MuchStealIsUnfit) {
    BusyStretch stretch = quiet();
    stretch.after.steal_ticks = 5 + 3;
    EXPECT_EQ(check_steal(stretch).grade, Grade::note);
    stretch.after.steal_ticks = 5 + 20;
    EXPECT_EQ(check_steal(stretch).grade, Grade::unfit);
    stretch.after.steal_ticks.reset();
    EXPECT_FALSE(check_steal(stretch).grade);
}

TEST(BusyStretchTest, ThrottlingIsUnfit) {
    BusyStretch stretch = quiet();
    stretch.after.throttled_times = 8;
    EXPECT_EQ(check_throttling(stretch).grade, Grade::unfit);
    stretch.after.throttled_times.reset();
    EXPECT_FALSE(check_throttling(stretch).grade);
}

TEST(BusyStretchTest, TheBusiestInterruptIsNamed) {
    BusyStretch stretch = quiet();
    stretch.interrupts = {{24, 300}, {25, 2000}};
    const Finding finding = check_interrupts(stretch);
    EXPECT_EQ(finding.grade, Grade::note);
    EXPECT_EQ(finding.remedy, "echo OTHER > /proc/irq/25/smp_affinity_list");
}

TEST(BusyStretchTest, DriftIsToldWithWhatRemainsInPairs) {
    BusyStretch stretch = quiet();
    for (std::size_t i = 0; i < stretch.piece_ns.size(); ++i) {
        stretch.piece_ns[i] *= std::exp(0.0001 * static_cast<double>(i));
    }
    const Finding finding = check_drift(stretch);
    EXPECT_EQ(finding.grade, Grade::note);
    EXPECT_GT(finding.value["slice_5ms"], 0.1);
    EXPECT_LT(finding.value["paired_5ms"], 0.01);
}

TEST(BusyStretchTest, AThreadIsKeptBusyForReal) {
    const int cpu = allowed_processors().front();
    const BusyStretch stretch = keep_busy(cpu, std::chrono::milliseconds(20), SystemFiles());
    EXPECT_EQ(stretch.cpu, cpu);
    EXPECT_GE(stretch.elapsed_ns, 20'000'000u);
    EXPECT_FALSE(stretch.piece_ns.empty());
    double sum = 0;
    for (const double piece : stretch.piece_ns) sum += piece;
    EXPECT_DOUBLE_EQ(sum, static_cast<double>(stretch.cpu_ns)) << "pieces follow without gaps";
    EXPECT_THROW(keep_busy(8000, std::chrono::milliseconds(1), SystemFiles()), std::system_error);
}

}  // namespace
}  // namespace loopbench
