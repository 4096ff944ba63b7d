#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "harness/baseline.hpp"
#include "harness/campaign.hpp"
#include "harness/commands.hpp"
#include "harness/compose.hpp"
#include "harness/fingerprint.hpp"
#include "harness/gate_plan.hpp"
#include "harness/gate_report.hpp"
#include "harness/prepare.hpp"
#include "harness/read_settings.hpp"
#include "harness/report.hpp"
#include "results/atomic_file.hpp"

namespace loopbench {
namespace {

/// The same loop as another build has it.
class OtherBuild : public ReferenceFinder {
  public:
    OtherBuild(const std::filesystem::path& directory, const Settings& settings,
               const StopSignals& signals)
        : directory_(directory),
          catalogue_(search_path(directory), {}),
          settings_(settings),
          signals_(signals) {}

    ReadyArm find(const ReadyArm& loop, const CaseWish& wish) override {
        ArmSpec spec = loop.spec;
        const auto names = catalogue_.names();
        if (std::find(names.begin(), names.end(), spec.name) == names.end()) {
            throw UsageError(fmt::format(
                "--against={}: it holds no loopbench-sut-{}, nor do its bin, build/release/bin and "
                "libexec/loopbench; give a directory of SUTs, a build tree or an installation",
                directory_.string(), spec.name));
        }
        spec.program.reset();
        ReadyArm arm = describe_arm(spec, "--against", catalogue_, settings_, signals_);
        const std::string why = why_not_offered(arm, wish.workload, wish.params);
        if (!why.empty()) {
            throw UsageError(
                fmt::format("--against={}: its {} {}", directory_.string(), spec.id, why));
        }
        arm.spec.id = fmt::format("{} (against)", loop.spec.id);
        return arm;
    }

  private:
    static std::string search_path(const std::filesystem::path& directory) {
        std::string path;
        for (const char* below : {"", "bin", "build/release/bin", "libexec/loopbench"}) {
            path += (path.empty() ? "" : ":") + (directory / below).string();
        }
        return path;
    }

    std::filesystem::path directory_;
    Catalogue catalogue_;
    const Settings& settings_;
    const StopSignals& signals_;
};

/// The very same build once more.
class SameBuild : public ReferenceFinder {
  public:
    ReadyArm find(const ReadyArm& loop, const CaseWish&) override {
        ReadyArm again = loop;
        again.spec.id = fmt::format("{} (again)", loop.spec.id);
        return again;
    }
};

/// The blocks that the budget would have held, by what a block took in fact.
int blocks_that_fit(const PlacementSamples& samples, const Settings& settings) {
    if (settings.blocks || samples.block_seconds <= 0) return samples.shape.blocks;
    const double budget = std::chrono::duration<double>(settings.budget).count();
    return std::min(samples.shape.blocks, static_cast<int>(budget / samples.block_seconds));
}

/// Measures the pairs by turns of blocks until every cell is settled; gives what the machine can
/// detect, for a gate of a build against itself.
std::vector<Detection> measure_pairs(GatePlan& plan, Campaign& campaign, const Settings& settings) {
    std::vector<Detection> detections;
    for (std::size_t i = 0; i < plan.pairs.size(); ++i) {
        GateRule rule(plan.pairs[i], cells_of(plan, i), plan.cells.size());
        const bool go_on = campaign.measure(plan.pairs[i], settings, rule);
        for (const PlacementSamples& samples : campaign.cases().back().placements) {
            rule.conclude(samples);
            for (const JudgedCell* cell : cells_of(plan, i)) {
                detections.push_back(
                    {cell, blocks_that_fit(samples, settings), samples.block_seconds});
            }
        }
        if (!go_on) break;
    }
    decide_cells(plan.cells);
    return detections;
}

[[noreturn]] void refuse_form() {
    throw UsageError(
        "gate: give one of --against=DIR (another build), --baseline=FILE (recorded by loopbench "
        "baseline) and --aa (this build against itself)");
}

std::string read_inconclusive(const CommandLine& line) {
    const std::string wanted = line.value("inconclusive", "inconclusive");
    if (line.has("inconclusive") && wanted != "pass" && wanted != "fail") {
        throw UsageError(
            fmt::format("--inconclusive={}: give pass (exit 0) or fail (exit 1)", wanted));
    }
    return wanted;
}

/// When several hold: interrupted, a failed workload, a regression, an unfit machine, inconclusive.
ExitStatus exit_of(const GateForm& form, const std::vector<JudgedCell>& cells,
                   const Campaign& campaign) {
    const ExitStatus measured = campaign.status();
    if (measured == exit_interrupted || measured == exit_workload_failed) return measured;
    const Decision decision = overall(cells);
    if (decision == Decision::regression) return exit_regression;
    if (measured == exit_unfit) return measured;
    if (decision == Decision::pass || form.inconclusive == "pass") return exit_success;
    return form.inconclusive == "fail" ? exit_regression : exit_inconclusive;
}

int finish_gate(const CommandLine& line, const GateForm& form, const GatePlan& plan,
                Campaign& campaign, const std::vector<Detection>& detections) {
    campaign.result().gate = gate_json(form, plan.cells);
    fmt::print("{}", format_gate(form, plan.cells));
    if (form.name == "aa") {
        campaign.result().gate["detection"] = detection_json(detections, plan.cells.size());
        fmt::print("{}", format_detection(detections, plan.cells.size()));
    }
    for (const MeasuredCase& measured : campaign.cases()) {
        for (const PlacementSamples& samples : measured.placements) {
            fmt::print("{}", format_method(campaign.result(), measured.plan, samples));
        }
    }
    std::fflush(stdout);
    fmt::print(stderr, "{}", format_warnings(campaign.result()));
    if (line.has("markdown")) {
        write_atomically(line.value("markdown"), format_gate_markdown(form, plan.cells));
    }
    campaign.finish();
    return exit_of(form, plan.cells, campaign);
}

int gate_by_build(const CommandLine& line, GateForm form, const Catalogue& catalogue,
                  const Settings& settings, const StopSignals& signals) {
    ArmDirectory arms(catalogue, settings, signals);
    std::unique_ptr<ReferenceFinder> references;
    if (form.name == "aa") {
        references = std::make_unique<SameBuild>();
    } else {
        references = std::make_unique<OtherBuild>(line.value("against"), settings, signals);
    }
    GatePlan plan = plan_gate(line, catalogue, settings, arms, *references, signals);
    fmt::print(stderr,
               "plan: {} cell{}, at most {:.0f} s a case; a regression can be called from {} "
               "blocks on; seed {}\n",
               plan.cells.size(), plan.cells.size() == 1 ? "" : "s",
               std::chrono::duration<double>(settings.budget).count(),
               plan_looks(1000, plan.cells.size()).blocks.front(), settings.seed);
    Campaign campaign(line, compose_head(plan.pairs, settings), settings, signals);
    const std::vector<Detection> detections = measure_pairs(plan, campaign, settings);
    return finish_gate(line, form, plan, campaign, detections);
}

/// Refuses a baseline that was recorded elsewhere. False when that makes the machine unfit.
bool check_environment(const CommandLine& line, const Sitting& sitting, ResultFile& result) {
    const auto found = differences(sitting.fingerprint, sitting_fingerprint(result));
    if (found.empty()) return true;
    const bool allowed = line.has("allow-environment-mismatch");
    constexpr const char* remedy = "record a baseline here, or give --allow-environment-mismatch";
    for (const std::string& difference : found) {
        result.warnings.push_back({allowed ? Grade::note : Grade::unfit,
                                   "other_environment",
                                   difference,
                                   remedy,
                                   {},
                                   {}});
        // Where it is measured all the same, notes are told at the end.
        if (!allowed) fmt::print(stderr, "loopbench: another environment: {}\n", difference);
    }
    if (!allowed) fmt::print(stderr, "  remedy: {}\n", remedy);
    return allowed;
}

/// Of a share of the maximum, sittings would each have a rate of their own.
void refuse_share(const CommandLine& line) {
    const std::map<std::string, std::string> given = line.parameters();
    const auto rate = given.find("rate");
    if (rate == given.end() || rate->second.find('%') == std::string::npos) return;
    throw UsageError(fmt::format(
        "--rate={}: sittings are compared at the same rate; give a number of operations a second",
        rate->second));
}

int gate_by_baseline(const CommandLine& line, const GateForm& form, const Catalogue& catalogue,
                     const Settings& settings, const StopSignals& signals) {
    const std::vector<Sitting> sittings =
        spaced(read_sittings("--baseline", line.value("baseline")));
    if (sittings.empty()) {
        throw UsageError(
            fmt::format("--baseline={}: there is no such file; record one with loopbench "
                        "baseline {}",
                        line.value("baseline"), line.value("baseline")));
    }
    refuse_share(line);
    ArmDirectory arms(catalogue, settings, signals);
    NormaliserFinder normalisers(catalogue, arms);
    GatePlan plan = plan_gate(line, catalogue, settings, arms, normalisers, signals);
    for (JudgedCell cell : plan.cells) {
        if (!cell.wanted || judge_by_sittings(cell, sittings)) continue;
        throw UsageError(
            fmt::format("--baseline={}: it has no {} of {} on {} with these parameters; record it "
                        "with loopbench "
                        "baseline and the same flags",
                        line.value("baseline"), cell.metric, cell.workload, cell.arm));
    }
    ResultFile head = compose_head(plan.pairs, settings);
    if (!check_environment(line, sittings.back(), head)) return exit_unfit;
    Campaign campaign(line, std::move(head), settings, signals);
    measure_sitting(plan, campaign, settings);
    for (JudgedCell& cell : plan.cells) {
        if (!judge_by_sittings(cell, sittings)) cell.cannot = "the baseline does not hold it";
    }
    decide_cells(plan.cells);
    return finish_gate(line, form, plan, campaign, {});
}

}  // namespace

int gate_command(const CommandLine& line) {
    const int forms =
        (line.has("against") ? 1 : 0) + (line.has("baseline") ? 1 : 0) + (line.has("aa") ? 1 : 0);
    if (forms != 1) refuse_form();
    GateForm form;
    form.inconclusive = read_inconclusive(line);
    check_output("--json", line.value("json"));
    check_output("--markdown", line.value("markdown"));
    const Catalogue catalogue = Catalogue::of_this_process();
    const StopSignals signals;
    if (line.has("baseline")) {
        form.name = "baseline";
        form.reference = line.value("baseline");
        const Settings settings = read_settings(line, catalogue, sitting_settings());
        return gate_by_baseline(line, form, catalogue, settings, signals);
    }
    form.name = line.has("aa") ? "aa" : "against";
    form.reference = line.has("aa") ? "itself" : line.value("against");
    const Settings settings = read_settings(line, catalogue, gate_settings());
    return gate_by_build(line, form, catalogue, settings, signals);
}

int baseline_command(const CommandLine& line) {
    const std::string path = line.topic;
    if (path.empty())
        throw UsageError("baseline: a file is needed; such as loopbench baseline FILE");
    const Catalogue catalogue = Catalogue::of_this_process();
    const Settings settings = read_settings(line, catalogue, sitting_settings());
    refuse_share(line);
    std::vector<Sitting> sittings = read_sittings("baseline", path);
    check_output("baseline", path);
    const StopSignals signals;
    ArmDirectory arms(catalogue, settings, signals);
    NormaliserFinder normalisers(catalogue, arms);
    GatePlan plan = plan_gate(line, catalogue, settings, arms, normalisers, signals);
    ResultFile head = compose_head(plan.pairs, settings);
    if (!sittings.empty() && !check_environment(line, sittings.back(), head)) return exit_unfit;
    Campaign campaign(line, std::move(head), settings, signals);
    measure_sitting(plan, campaign, settings);
    fmt::print(stderr, "{}", format_warnings(campaign.result()));
    if (campaign.status() == exit_interrupted || campaign.status() == exit_workload_failed) {
        fmt::print(stderr, "loopbench: {} was left as it was: this sitting is not whole\n", path);
        return campaign.status();
    }
    ResultFile result = campaign.result();
    sittings.push_back({result.created, sitting_fingerprint(result), sitting_cells(plan.cells)});
    for (Case& one : result.cases) {
        // What later gates need is in the sittings; slices of all of them would make the file huge.
        one.samples.clear();
        one.blocks.clear();
    }
    result.sittings = to_json(sittings);
    write_atomically(path, nlohmann::json(result).dump(1) + "\n");
    const std::size_t counting = spaced(sittings).size();
    fmt::print("{}: {} sitting{}, {} of which count{}{}\n", path, sittings.size(),
               sittings.size() == 1 ? "" : "s", counting, counting == 1 ? "s" : "",
               counting < least_sittings
                   ? fmt::format("; a gate needs {}, at least a minute apart", least_sittings)
                   : "");
    return campaign.status();
}

}  // namespace loopbench
