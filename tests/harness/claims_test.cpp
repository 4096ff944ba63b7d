#include <gtest/gtest.h>

#include <set>

#include "harness/claims/claim.hpp"
#include "harness/claims/progress.hpp"
#include "harness/claims/report.hpp"
#include "harness/workload_parameters.hpp"
#include "results/validation.hpp"

namespace loopbench {
namespace {

constexpr Extent extents[] = {Extent::quick, Extent::standard, Extent::full};

TEST(ClaimsTest, EveryExperimentCanBeAskedFor) {
    std::set<std::string> ids;
    for (const Claim& claim : all_claims()) {
        EXPECT_TRUE(ids.insert(claim.id).second) << claim.id;
        for (const Extent extent : extents) {
            const auto experiments = claim.experiments(extent);
            EXPECT_FALSE(experiments.empty()) << claim.id;
            for (const Experiment& experiment : experiments) {
                const WorkloadInfo& workload = find_workload("--workload", experiment.workload);
                EXPECT_NO_THROW(resolve_parameters(workload, experiment.params))
                    << experiment.key();
                EXPECT_FALSE(experiment.arms.empty()) << experiment.key();
            }
        }
    }
}

TEST(ClaimsTest, MoreIsMeasuredTheLongerItMayTake) {
    for (const Claim& claim : all_claims()) {
        const std::size_t quick = claim.experiments(Extent::quick).size();
        const std::size_t standard = claim.experiments(Extent::standard).size();
        EXPECT_LE(quick, standard) << claim.id;
        EXPECT_LE(standard, claim.experiments(Extent::full).size()) << claim.id;
    }
}

TEST(ClaimsTest, WithoutEvidenceAClaimIsUnclearAndEachFigureSaysWhy) {
    const ResultFile nothing;
    std::map<std::string, std::string> skipped;
    for (const Claim& claim : all_claims()) {
        for (const Experiment& experiment : claim.experiments(Extent::standard)) {
            skipped[experiment.key()] = "the machine is on holiday";
        }
    }
    const ClaimEvidence evidence(nothing, skipped);
    std::vector<JudgedClaim> judged;
    for (const Claim& claim : all_claims()) {
        judged.push_back(judge(claim, Extent::standard, evidence));
        EXPECT_EQ(judged.back().judgement.verdict, ClaimVerdict::unclear) << claim.id;
        ASSERT_FALSE(judged.back().cells.empty()) << claim.id;
        for (const ClaimCell& cell : judged.back().cells) {
            EXPECT_EQ(cell.reason, "the machine is on holiday") << claim.id << ": " << cell.figure;
        }
    }
    EXPECT_NE(format_claims(judged).find("the machine is on holiday"), std::string::npos);
}

/// A result of one experiment in which `arm` costs `ratio` times what its reference does.
ResultFile one_ratio(const Experiment& experiment, const std::string& arm, double ratio) {
    Comparison comparison;
    comparison.workload = experiment.workload;
    comparison.params =
        resolve_parameters(find_workload("--workload", experiment.workload), experiment.params);
    comparison.placement = experiment.placement;
    comparison.metric = "cpu_ns_per_op";
    comparison.arm = arm;
    comparison.reference = experiment.reference;
    comparison.ratio = ratio;
    comparison.ci95 = Interval{ratio * 0.99, ratio * 1.01};
    comparison.n = 14;
    ResultFile result;
    result.comparisons.push_back(std::move(comparison));
    note_measured(result, experiment.key(), 0, 0, true);
    return result;
}

TEST(ClaimsTest, AFigureIsFoundByItsExperiment) {
    const Experiment mine{"echo", {{"connections", "7"}}, "bare", {"epoll"}};
    const Experiment other{"echo", {{"connections", "8"}}, "bare", {"epoll"}};
    const ResultFile result = one_ratio(mine, "epoll", 1.5);
    const std::map<std::string, std::string> none;
    const ClaimEvidence evidence(result, none);
    EXPECT_EQ(evidence.ratio(mine, "cpu_ns_per_op", "epoll").value, 1.5);
    EXPECT_EQ(evidence.ratio(mine, "throughput", "epoll").value, std::nullopt);
    EXPECT_EQ(evidence.ratio(other, "cpu_ns_per_op", "epoll").value, std::nullopt);
    EXPECT_EQ(evidence.ratio(mine, "cpu_ns_per_op", "uv").reason, "uv was not measured there");
}

TEST(ClaimsTest, WhatIsUnfinishedIsDropped) {
    ResultFile result;
    const auto add = [&](const char* key, std::size_t cases, bool whole) {
        const std::size_t first = result.cases.size();
        for (std::size_t i = 0; i < cases; ++i) result.cases.emplace_back().arm = key;
        note_measured(result, key, first, 0, whole);
    };
    add("first", 2, true);
    add("an arm broke off", 3, false);
    add("last", 1, true);
    result.cases.emplace_back().arm = "interrupted";
    drop_unfinished(result);
    EXPECT_EQ(count_measured(result), 2U);
    ASSERT_EQ(result.cases.size(), 3U);
    const auto last = measured_rows(result, "last");
    ASSERT_TRUE(last);
    EXPECT_EQ(last->first_case, 2U);
    EXPECT_EQ(result.cases[last->first_case].arm, "last");
    EXPECT_FALSE(measured_rows(result, "an arm broke off"));
}

TEST(ClaimsTest, ARatioOverAnotherArmIsNotThatOverTheReference) {
    Experiment experiment{"echo", {}, "bare", {"epoll", "uv"}};
    experiment.also_over = {"epoll"};
    ResultFile result = one_ratio(experiment, "uv", 1.2);
    Comparison over_epoll = result.comparisons[0];
    over_epoll.reference = "epoll";
    over_epoll.ratio = 1.1;
    result.comparisons.push_back(over_epoll);
    result.plan.further.clear();
    note_measured(result, experiment.key(), 0, 0, true);
    const std::map<std::string, std::string> none;
    const ClaimEvidence evidence(result, none);
    EXPECT_EQ(evidence.ratio(experiment, "cpu_ns_per_op", "uv").value, 1.2);
    EXPECT_EQ(evidence.ratio(experiment, "cpu_ns_per_op", "uv", "epoll").value, 1.1);
    const Experiment without{"echo", {}, "bare", {"epoll", "uv"}};
    EXPECT_NE(experiment.key(), without.key()) << "another result is wanted of it";
}

TEST(ClaimsTest, WhatIsJudgedIsAsTheSchemaSays) {
    const ResultFile nothing;
    const std::map<std::string, std::string> none;
    std::vector<JudgedClaim> judged;
    for (const Claim& claim : all_claims()) {
        judged.push_back(judge(claim, Extent::quick, ClaimEvidence(nothing, none)));
    }
    ResultFile result;
    result.created = "2026-01-01T00:00:00Z";
    result.loopbench = {"1", "unknown", "none", ""};
    result.claims = to_json(judged);
    EXPECT_EQ(validate_result(result), std::vector<std::string>{});
}

}  // namespace
}  // namespace loopbench
