// How often comparisons and gates are wrong, and how often they find what there is, on simulated
// slices. Seeds are fixed: a test says the same every time.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "results/gate.hpp"
#include "results/verdict.hpp"
#include "simulator.hpp"

namespace loopbench {
namespace {

const double margin = std::log(1.015);  // of processor time an operation

constexpr MachineModel drifting{MachineModel::Kind::drifting, 0.06, 0.97};
constexpr MachineModel switching{MachineModel::Kind::switching, 0.15, 0.99};

/// Blocks whose log-ratio scatters by 1.2%, as was seen on a quiet machine.
Scene quiet(const MachineModel& machine, double effect, int blocks = 60) {
    Scene scene;
    scene.blocks = blocks;
    scene.effect = effect;
    scene.machine = machine;
    scene.machine.sd /= 6;
    scene.process_sd = 0.007;
    scene.slice_sd = 0.015;
    return scene;
}

/// Blocks that scatter by 4%, as was seen on the same machine when others worked on it.
Scene busy(const MachineModel& machine, double effect, int blocks = 60) {
    Scene scene;
    scene.blocks = blocks;
    scene.effect = effect;
    scene.machine = machine;
    scene.process_sd = 0.006;
    scene.slice_sd = 0.086;
    return scene;
}

/// A gate over cells that are independent, which is the worst case for Bonferroni and Holm.
std::vector<Decision> simulate_gate(const Scene& scene, std::size_t cells,
                                    std::mt19937_64& random) {
    const Looks looks = plan_looks(scene.blocks, cells);
    std::vector<GateCell> gate;
    for (std::size_t i = 0; i < cells; ++i) {
        const Recording recording = interleaved(draw_session(scene, random), random);
        const auto [arm, reference] = compared(recording, scene.slices);
        GateCell cell(margin);
        for (std::size_t look = 0; look < looks.blocks.size() && !cell.settled(cells); ++look) {
            const auto blocks = static_cast<std::size_t>(looks.blocks[look]);
            const auto ratios = independent_log_ratios(std::span(arm).first(blocks),
                                                       std::span(reference).first(blocks));
            cell.look(ratios.value().log_ratios, looks.weights[look]);
        }
        gate.push_back(cell);
    }
    return decide(gate);
}

/// How many of `gates` gates decide so of any cell.
int gates_that_say(Decision decision, int gates, const Scene& scene, std::size_t cells,
                   std::mt19937_64& random) {
    int count = 0;
    for (int i = 0; i < gates; ++i) {
        const auto decisions = simulate_gate(scene, cells, random);
        count += std::find(decisions.begin(), decisions.end(), decision) != decisions.end();
    }
    return count;
}

double interval_coverage(const Scene& scene, int comparisons, std::mt19937_64& random) {
    int covered = 0;
    for (int i = 0; i < comparisons; ++i) {
        const auto interval = signed_rank_interval(simulate_log_ratios(scene, random).log_ratios);
        covered += interval && interval->low <= scene.effect && scene.effect <= interval->high;
    }
    return static_cast<double>(covered) / comparisons;
}

TEST(Simulator, ScattersAsItSays) {
    std::mt19937_64 random(10);
    for (const MachineModel& machine : {drifting, switching}) {
        const double quiet_sd =
            standard_deviation(simulate_log_ratios(quiet(machine, 0, 2000), random).log_ratios);
        EXPECT_NEAR(quiet_sd, 0.012, 0.0015);
        const double busy_sd =
            standard_deviation(simulate_log_ratios(busy(machine, 0, 2000), random).log_ratios);
        EXPECT_NEAR(busy_sd, 0.04, 0.005);
    }
}

// SciPy: scipy.stats.mannwhitneyu(a, b, method='asymptotic', use_continuity=True)
TEST(Simulator, ItsUTestAgreesWithSciPy) {
    const std::vector<double> a = {3.1, 4.7, 2.2, 5.9, 6.4, 1.3, 7.7};
    const std::vector<double> b = {4.1, 8.2, 6.9, 9.3, 5.5, 7.1, 10.4, 8.8};
    EXPECT_NEAR(mann_whitney_p_value(a, b), 0.03227734609479715, 1e-12);
}

TEST(SimulatedComparison, TheIntervalCoversAsOftenAsItSays) {
    std::mt19937_64 random(11);
    for (const MachineModel& machine : {drifting, switching}) {
        const double share = interval_coverage(quiet(machine, 0.04, 20), 2000, random);
        EXPECT_GT(share, 0.93);
        EXPECT_LT(share, 0.97);
    }
}

TEST(SimulatedComparison, CorrelatedBlocksAreMergedAndOthersSeldom) {
    std::mt19937_64 random(12);
    // An arm that suffers more from a slow machine drifts with it, against the reference.
    Scene correlated = quiet(drifting, 0);
    correlated.machine = {MachineModel::Kind::drifting, 0.06, 0.99};
    correlated.machine_sensitivity = 1.5;
    int merged = 0;
    int merged_without = 0;
    for (int i = 0; i < 200; ++i) {
        merged += simulate_log_ratios(correlated, random).merged;
        merged_without += simulate_log_ratios(quiet(drifting, 0), random).merged;
    }
    EXPECT_GT(merged, 180);
    EXPECT_LT(merged_without, 20);
}

TEST(SimulatedComparison, RarePausesRaiseDoubt) {
    std::mt19937_64 random(13);
    Scene paused = quiet(drifting, 0);
    paused.pause_chance = 0.08;
    paused.pause = 1.2;
    int doubted = 0;
    int doubted_without = 0;
    for (int i = 0; i < 50; ++i) {
        for (const Scene& scene : {paused, quiet(drifting, 0)}) {
            const Recording recording = interleaved(draw_session(scene, random), random);
            (scene.pause > 0 ? doubted : doubted_without) +=
                has_rare_costs(rare_cost_gaps(recording, scene.slices), margin);
        }
    }
    EXPECT_GT(doubted, 45);
    EXPECT_LT(doubted_without, 5);
}

/// The true effect at the margin: the hardest case for both sides.
class AtTheMargin : public testing::TestWithParam<std::tuple<std::size_t, MachineModel::Kind>> {
  protected:
    void SetUp() override {
#ifdef LOOPBENCH_SANITIZED
        GTEST_SKIP() << "it takes ten times as long under a sanitizer, and the other simulations "
                        "run the same code";
#endif
    }
};

TEST_P(AtTheMargin, AtMostOneGateInAHundredCallsARegression) {
    const auto [cells, kind] = GetParam();
    std::mt19937_64 random(14 + cells);
    const MachineModel& machine = kind == MachineModel::Kind::drifting ? drifting : switching;
    const int gates = 6000 / static_cast<int>(cells);
    EXPECT_LE(gates_that_say(Decision::regression, gates, quiet(machine, margin), cells, random),
              gates / 100);
}

std::string name_of(const testing::TestParamInfo<AtTheMargin::ParamType>& info) {
    const auto [cells, kind] = info.param;
    return (kind == MachineModel::Kind::drifting ? "Drifting" : "Switching") +
           std::to_string(cells);
}

INSTANTIATE_TEST_SUITE_P(Gates, AtTheMargin,
                         testing::Combine(testing::Values(1, 3, 9),
                                          testing::Values(MachineModel::Kind::drifting,
                                                          MachineModel::Kind::switching)),
                         name_of);

TEST(SimulatedGate, AtTheMarginAtMostOneInTwentyPasses) {
    std::mt19937_64 random(15);
    EXPECT_LE(gates_that_say(Decision::pass, 600, quiet(drifting, margin), 1, random), 30);
}

TEST(SimulatedGate, AnUnchangedBuildPasses) {
    std::mt19937_64 random(16);
    int passed = 0;
    for (int i = 0; i < 100; ++i) {
        const auto decisions = simulate_gate(quiet(drifting, 0), 3, random);
        EXPECT_EQ(std::count(decisions.begin(), decisions.end(), Decision::regression), 0);
        passed += std::count(decisions.begin(), decisions.end(), Decision::pass) == 3;
    }
    EXPECT_GE(passed, 95);
}

TEST(SimulatedGate, ASlowdownOfThreePercentIsFoundInSixtyBlocks) {
    std::mt19937_64 random(17);
    for (const std::size_t cells : {1, 3}) {
        int found = 0;
        for (int i = 0; i < 100; ++i) {
            const auto decisions = simulate_gate(quiet(drifting, std::log(1.03)), cells, random);
            found += static_cast<int>(
                std::count(decisions.begin(), decisions.end(), Decision::regression));
        }
        EXPECT_GE(found, 0.95 * 100 * static_cast<double>(cells));
    }
}

TEST(SimulatedGate, FindsWhatItIsSaidToFind) {
    std::mt19937_64 random(18);
    for (const int blocks : {20, 60}) {
        const Looks looks = plan_looks(blocks, 1);
        const double slowdown =
            detectable_slowdown(0.04, blocks, 1, looks.weights.back(), margin, 0.95);
        const Scene slower = busy(drifting, std::log(slowdown), blocks);
        // 95% of 400 are 380, with a standard deviation of 4.4.
        EXPECT_GE(gates_that_say(Decision::regression, 400, slower, 1, random), 370) << blocks;
    }
}

TEST(SimulatedGate, NeedsTheBlocksThatItIsSaidToNeed) {
    std::mt19937_64 random(21);
    const auto blocks = blocks_for_margin(0.04, 1, 1, margin, 0.95);
    ASSERT_TRUE(blocks.has_value());
    const double twice = std::log1p(2 * std::expm1(margin));
    EXPECT_GE(gates_that_say(Decision::regression, 100, busy(drifting, twice, *blocks), 1, random),
              90);
    EXPECT_GE(gates_that_say(Decision::pass, 100, busy(drifting, 0, *blocks), 1, random), 90);
}

/// How many of `gates` gates with a baseline of five sittings, which scatter by 1%, decide so.
int baselines_that_say(Decision decision, int gates, double effect, std::mt19937_64& random) {
    std::normal_distribution<double> normal(0, 0.01);
    int count = 0;
    for (int i = 0; i < gates; ++i) {
        std::vector<double> old(least_sittings);
        for (double& sitting : old) sitting = normal(random);
        const SittingTest test = test_sitting(old, effect + normal(random), margin);
        GateCell cell(margin);
        cell.look_once(test.regression_p, test.pass_p);
        count += decide(std::vector{cell}).front() == decision;
    }
    return count;
}

TEST(SimulatedGate, AgainstABaselineIsAsSeldomWrong) {
    std::mt19937_64 random(22);
    EXPECT_NEAR(baselines_that_say(Decision::regression, 20000, margin, random), 200, 45);
    EXPECT_NEAR(baselines_that_say(Decision::pass, 20000, margin, random), 1000, 100);
    EXPECT_GE(baselines_that_say(Decision::regression, 1000, 0.10, random), 950);
}

TEST(RunAThenRunB, CriesWolfWhereInterleavedBlocksDoNot) {
    std::mt19937_64 random(19);
    for (const MachineModel& machine : {drifting, switching}) {
        int one_by_one_alarms = 0;
        int interleaved_alarms = 0;
        constexpr int comparisons = 150;
        for (int i = 0; i < comparisons; ++i) {
            const Session session = draw_session(quiet(machine, 0, 30), random);
            const Recording plain = one_by_one(session);
            one_by_one_alarms +=
                mann_whitney_p_value(plain.arm.costs(), plain.reference.costs()) < 0.05;
            const auto [arm, reference] =
                compared(interleaved(session, random), session.scene.slices);
            const auto ratios = log_ratios(arm, reference);
            interleaved_alarms +=
                signed_rank_p_value(ratios.value(), 0, Alternative::two_sided) < 0.05;
        }
        EXPECT_GT(one_by_one_alarms, comparisons / 4);
        EXPECT_LT(interleaved_alarms, comparisons / 12);
    }
}

/// A table of blocks whose ratios all have the same true value, judged often: how many of them hold
/// the verdict.
int tables_with(const std::vector<std::string>& verdicts, double effect, double sd, int tables,
                std::mt19937_64& random) {
    std::normal_distribution<double> normal(effect, sd);
    int count = 0;
    for (int table = 0; table < tables; ++table) {
        std::vector<Evidence> cells(20, {std::vector<double>(20), margin, ""});
        for (Evidence& cell : cells) {
            for (double& value : cell.log_ratios) value = normal(random);
        }
        const auto judgements = judge(cells);
        count += std::any_of(judgements.begin(), judgements.end(), [&](const auto& judgement) {
            return std::find(verdicts.begin(), verdicts.end(), judgement.verdict) != verdicts.end();
        });
    }
    return count;
}

TEST(SimulatedTable, FalseVerdictsAreSeldomInTheWholeTable) {
    std::mt19937_64 random(20);
    // Where each is false by least, and the other verdict is often given, rightly.
    EXPECT_LE(tables_with({"tie"}, margin, 0.012, 200, random), 10);
    EXPECT_LE(tables_with({"slower", "faster"}, log_indifference, 0.012, 200, random), 10);
    EXPECT_GE(tables_with({"slower"}, margin, 0.008, 50, random), 45);
    EXPECT_GE(tables_with({"tie"}, log_indifference, 0.008, 50, random), 45);
}

}  // namespace
}  // namespace loopbench
