#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/build_info.hpp"
#include "harness/campaign.hpp"
#include "harness/claims/claim.hpp"
#include "harness/claims/experiments.hpp"
#include "harness/claims/progress.hpp"
#include "harness/claims/report.hpp"
#include "harness/commands.hpp"
#include "harness/compose.hpp"
#include "harness/compute.hpp"
#include "harness/nearest.hpp"
#include "harness/prepare.hpp"
#include "harness/read_settings.hpp"
#include "harness/report.hpp"
#include "harness/verdicts.hpp"
#include "results/validation.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

Extent read_extent(const CommandLine& line) {
    if (line.has("quick") && line.has("full")) {
        throw UsageError("--quick: it is the opposite of --full; give one of them, or neither");
    }
    if (line.has("quick")) return Extent::quick;
    return line.has("full") ? Extent::full : Extent::standard;
}

std::vector<const Claim*> wanted_claims(const CommandLine& line) {
    std::vector<const Claim*> wanted;
    std::vector<std::string> ids;
    for (const Claim& claim : all_claims()) ids.push_back(claim.id);
    if (!line.has("only")) {
        for (const Claim& claim : all_claims()) {
            if (claim.own == line.has("own")) wanted.push_back(&claim);
        }
        return wanted;
    }
    if (line.has("own")) throw UsageError("--own: --only says which claims; give one of the two");
    for (const std::string& id : split_list("--only", line.value("only"))) {
        const auto found = std::find(ids.begin(), ids.end(), id);
        if (found == ids.end()) {
            throw UsageError(
                fmt::format("--only={}: there is no such claim; {}", id, suggestion(id, ids)));
        }
        wanted.push_back(&all_claims()[static_cast<std::size_t>(found - ids.begin())]);
    }
    return wanted;
}

/// Most of what is claimed are factors, for which the blocks that an interval needs are enough: the
/// budget decides how many slices they have.
Settings claim_settings(Extent extent) {
    Settings settings;
    // A Python loop takes seconds to start a million timers, and more on a machine that is busy.
    settings.patience.answer = settings.patience.slice = std::chrono::seconds(60);
    settings.budget = std::chrono::seconds(extent == Extent::quick ? 5 : 10);
    return settings;
}

Settings settings_for(const Experiment& wanted, const Settings& all) {
    Settings own = all;
    own.budget = std::chrono::duration_cast<std::chrono::nanoseconds>(all.budget * wanted.cost);
    if (!own.blocks) own.blocks = wanted.blocks;
    if (!own.slice && wanted.slice_ms > 0) {
        own.slice = std::chrono::milliseconds(wanted.slice_ms);
    }
    if (wanted.slice_rounds > 0) own.slice_rounds = wanted.slice_rounds;
    return own;
}

/// The result at `path` to go on with; nothing when there is none, or it is complete. Throws
/// UsageError for one that something else has left incomplete.
std::optional<ResultFile> begun_result(const std::string& path, const json& wanted) {
    if (path.empty() || !std::filesystem::exists(path)) return std::nullopt;
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ResultFile result;
    try {
        result = read_result(text);
    } catch (const std::exception& error) {
        throw UsageError(
            fmt::format("--json={}: there is a file already, and it is no result: {}; "
                        "give another name, or remove it",
                        path, error.what()));
    }
    if (result.complete) return std::nullopt;
    if (is_of_the_same(result, wanted) && result.loopbench.commit == build_commit()) return result;
    throw UsageError(
        fmt::format("--json={}: it holds an incomplete result of other claims, another extent or "
                    "another build; give another name, or remove it",
                    path));
}

void print_plan(const std::vector<const Claim*>& claims, const ExperimentPlans& plans,
                std::size_t measured, const Settings& settings) {
    // What it takes to start, connect and warm up an arm in a block, mostly Python.
    constexpr double start_s = 0.12;
    double seconds = 0;
    for (const PlannedExperiment& one : plans.planned) {
        const Settings own = settings_for(one.experiment, settings);
        seconds += std::chrono::duration<double>(own.budget).count() +
                   start_s * *own.blocks * static_cast<double>(one.plan.arms.size());
    }
    fmt::print(stderr, "{} claim{}, {} experiments, about {:.0f} min{}\n", claims.size(),
               claims.size() == 1 ? "" : "s", plans.planned.size(), std::ceil(seconds / 60),
               measured == 0 ? "" : fmt::format("; {} measured before", measured));
    std::set<std::string> reasons;
    for (const auto& [key, why] : plans.skipped) reasons.insert(why);
    for (const std::string& why : reasons) fmt::print(stderr, "left out: {}\n", why);
}

/// Adds the ratios that an experiment is asked for beside those over its reference.
void add_ratios_over(ResultFile& result, const MeasuredCase& measured,
                     const std::vector<std::string>& also_over) {
    CasePlan plan = measured.plan;
    for (std::size_t arm = 0; arm < plan.arms.size(); ++arm) {
        const std::string& id = plan.arms[arm].spec.id;
        if (std::find(also_over.begin(), also_over.end(), id) == also_over.end()) continue;
        plan.reference = arm;
        for (const PlacementSamples& samples : measured.placements) {
            for (Comparison& comparison : compute_comparisons(plan, samples)) {
                result.comparisons.push_back(std::move(comparison));
            }
        }
    }
}

/// Whether every arm held out to the end.
bool is_whole(const MeasuredCase& measured) {
    for (const PlacementSamples& samples : measured.placements) {
        for (const ArmSamples& arm : samples.arms) {
            if (!arm.failure.empty()) return false;
        }
    }
    return true;
}

/// Measures the experiments that the result does not hold yet. After each of them the result is
/// written, so that an interrupted run can go on.
void measure_all(Campaign& campaign, const ExperimentPlans& plans, const Settings& settings) {
    ResultFile& result = campaign.result();
    for (const PlannedExperiment& one : plans.planned) {
        if (measured_rows(result, one.key)) continue;
        const std::size_t cases = result.cases.size();
        const std::size_t comparisons = result.comparisons.size();
        const Settings own = settings_for(one.experiment, settings);
        PrecisionRule rule(one.plan, own, 0);
        if (!campaign.measure(one.plan, own, rule)) return;
        const MeasuredCase& measured = campaign.cases().back();
        add_verdicts(result, {measured}, {}, {});
        add_ratios_over(result, measured, one.experiment.also_over);
        note_measured(result, one.key, cases, comparisons, is_whole(measured));
        campaign.checkpoint();
    }
}

}  // namespace

int claims_command(const CommandLine& line) {
    const Extent extent = read_extent(line);
    const std::vector<const Claim*> claims = wanted_claims(line);
    const Catalogue catalogue = Catalogue::of_this_process();
    const Settings settings = read_settings(line, catalogue, claim_settings(extent));
    check_driver_found(settings);
    check_output("--json", line.value("json"));
    const json progress = new_progress(claims, extent);
    std::optional<ResultFile> begun = begun_result(line.value("json"), progress);

    const StopSignals signals;
    ArmDirectory arms(catalogue, settings, signals);
    const ExperimentPlans plans = plan_experiments(claims, extent, arms, settings);
    if (begun) drop_unfinished(*begun);
    print_plan(claims, plans, begun ? count_measured(*begun) : 0, settings);
    if (!begun) {
        std::vector<CasePlan> cases;
        for (const PlannedExperiment& experiment : plans.planned) cases.push_back(experiment.plan);
        begun = compose_head(cases, settings);
        begun->plan.further["claims"] = progress;
    }
    Campaign campaign(line, *std::move(begun), settings, signals);
    measure_all(campaign, plans, settings);

    const ClaimEvidence evidence(campaign.result(), plans.skipped);
    std::vector<JudgedClaim> judged;
    for (const Claim* claim : claims) judged.push_back(judge(*claim, extent, evidence));
    campaign.result().claims = to_json(judged);
    fmt::print("{}", format_claims(judged));
    std::fflush(stdout);
    fmt::print(stderr, "{}", format_warnings(campaign.result()));
    campaign.finish();
    const bool all_judged = std::none_of(judged.begin(), judged.end(), [](const JudgedClaim& one) {
        return one.judgement.verdict == ClaimVerdict::unclear;
    });
    // What was disturbed is left out of the figures: a machine on which every claim could be judged
    // all the same was fit for it.
    return campaign.status() == exit_unfit && all_judged ? exit_success : campaign.status();
}

}  // namespace loopbench
