// What was really recorded, decided again: tests/results/traces/ says how each trace came about.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "results/gate.hpp"
#include "results/verdict.hpp"
#include "simulator.hpp"

namespace loopbench {
namespace {

constexpr int slices_a_block = 8;

/// The slices of one arm, whose processor time is multiplied by `factor`.
SimulatedArm replay(const nlohmann::json& rows, double factor = 1) {
    SimulatedArm arm;
    for (const auto& row : rows) {
        arm.slices.push_back({row.at(3).get<double>() * factor, row.at(2).get<double>()});
    }
    return arm;
}

class ReplayedTrace : public testing::Test {
  protected:
    ReplayedTrace()
        : trace_(nlohmann::json::parse(std::ifstream(
              std::string(LOOPBENCH_SOURCE_DIR) + "/tests/results/traces/echo-epoll-aa.json"))) {}

    /// The arm `factor` times as dear as it was.
    Recording recording(double factor) const {
        return {replay(trace_.at("epoll"), factor), replay(trace_.at("reference"))};
    }

    BlockRatios ratios(double factor) const {
        const auto [arm, reference] = compared(recording(factor), slices_a_block);
        return independent_log_ratios(arm, reference).value();
    }

    std::vector<double> block_ratios(double factor) const {
        const auto [arm, reference] = compared(recording(factor), slices_a_block);
        return log_ratios(arm, reference).value();
    }

    /// With the planned looks at `blocks`, of which `ratios_of(n)` gives the first n log-ratios.
    template <typename Ratios>
    Decision gate_of(std::size_t blocks, Ratios ratios_of) const {
        const Looks looks = plan_looks(static_cast<int>(blocks), 1);
        GateCell cell(margin_);
        for (std::size_t i = 0; i < looks.blocks.size() && !cell.settled(1); ++i) {
            cell.look(ratios_of(static_cast<std::size_t>(looks.blocks[i])), looks.weights[i]);
        }
        return decide(std::vector{cell}).front();
    }

    Decision gate(double factor) const {
        const ComparedBlocks both = compared(recording(factor), slices_a_block);
        return gate_of(both.arm.size(), [&](std::size_t n) {
            return independent_log_ratios(std::span(both.arm).first(n),
                                          std::span(both.reference).first(n))
                .value()
                .log_ratios;
        });
    }

    const double margin_ = std::log(1.015);  // of processor time an operation
    nlohmann::json trace_;
};

TEST_F(ReplayedTrace, OfTheSameProgramTwiceIsNoRegression) {
    EXPECT_NE(gate(1), Decision::regression);
    // Nor the other way round.
    std::swap(trace_["epoll"], trace_["reference"]);
    EXPECT_NE(gate(1), Decision::regression);
}

TEST_F(ReplayedTrace, WithTenPercentMoreIsARegression) {
    EXPECT_EQ(gate(1.10), Decision::regression);
    EXPECT_EQ(gate(0.90), Decision::pass);
}

// Both arms are the same program, so that in each block it could as well have been the other one
// that was called the arm, and the blocks have no order of their own: any such reading of the trace
// is one of an unchanged build, with the noise that was really there.
TEST_F(ReplayedTrace, ReadAnyWayAtMostOneGateInAHundredCallsARegressionAtTheMargin) {
    std::mt19937_64 random(1);
    std::vector<double> blocks = block_ratios(1);
    constexpr int gates = 2000;
    int at_the_margin = 0;
    int found = 0;
    for (int i = 0; i < gates; ++i) {
        std::shuffle(blocks.begin(), blocks.end(), random);
        std::vector<double> worse;
        worse.reserve(blocks.size());
        for (const double ratio : blocks) worse.push_back(random() % 2 == 0 ? ratio : -ratio);
        for (double& ratio : worse) ratio += margin_;
        const auto first = [&](std::size_t n) { return std::span(worse).first(n); };
        at_the_margin += gate_of(worse.size(), first) == Decision::regression;
        for (double& ratio : worse) ratio += std::log(1.06) - margin_;
        found += gate_of(worse.size(), first) == Decision::regression;
    }
    EXPECT_LE(at_the_margin, gates / 100);
    EXPECT_GE(found, gates * 95 / 100);
}

TEST_F(ReplayedTrace, GivesTheVerdictsOfATable) {
    const auto verdict = [&](double factor) {
        return judge(std::vector<Evidence>{{ratios(factor).log_ratios, margin_, ""}})[0].verdict;
    };
    EXPECT_EQ(verdict(1.10), "slower");
    EXPECT_EQ(verdict(0.90), "faster");
    EXPECT_EQ(verdict(1.00), "tie");
}

TEST_F(ReplayedTrace, HasNoRareCosts) {
    EXPECT_FALSE(has_rare_costs(rare_cost_gaps(recording(1), slices_a_block), margin_));
}

TEST_F(ReplayedTrace, ItsFirstAndSecondHalfDifferAsIfTheyWereTwoPrograms) {
    // One and the same arm, as if it had been run once before a change and once after it.
    for (const char* name : {"epoll", "reference"}) {
        const std::vector<double> costs = replay(trace_.at(name)).costs();
        const auto half = costs.size() / 2;
        EXPECT_LT(mann_whitney_p_value(std::span(costs).first(half), std::span(costs).last(half)),
                  0.05)
            << name;
    }
}

}  // namespace
}  // namespace loopbench
