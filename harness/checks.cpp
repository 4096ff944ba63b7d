#include "harness/checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>

#include "harness/block_totals.hpp"
#include "harness/conditions.hpp"
#include "harness/open_loop_checks.hpp"
#include "harness/sut_checks.hpp"
#include "results/statistics.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

Warning note(std::string id, std::string text, std::string remedy) {
    return {Grade::note, std::move(id), std::move(text), std::move(remedy), {}, {}};
}

/// Sums over all blocks.
struct Sums {
    double elapsed_ns = 0;
    double cpu_ns = 0;
    double driver_cpu_ns = 0;
    double running_ns = 0;
    double waiting_ns = 0;
    double rounds = 0;
    double voluntary = 0;
    double operations = 0;
    double turns = 0;
    std::size_t slices = 0;
    std::size_t invalid = 0;
    std::uint64_t idle_connections = 0;
    bool self_reported = false;
};

Sums sum_up(const ArmSamples& arm) {
    Sums sums;
    for (const BlockSamples& block : arm.blocks) {
        const BlockTotals totals = total(block);
        sums.elapsed_ns += totals.elapsed_ns;
        sums.cpu_ns += totals.cpu_ns.value_or(0);
        sums.driver_cpu_ns += totals.driver_cpu_ns.value_or(0);
        sums.running_ns += static_cast<double>(block.counts.running_ns.value_or(0));
        sums.waiting_ns += static_cast<double>(block.counts.waiting_ns.value_or(0));
        sums.rounds += static_cast<double>(block.counts.rounds);
        sums.voluntary += static_cast<double>(block.counts.voluntary_switches.value_or(0));
        const auto turns = totals.counted_per_operation("turns");
        if (turns) {
            sums.operations += static_cast<double>(block.counts.operations);
            sums.turns += *turns * static_cast<double>(block.counts.operations);
        }
        sums.slices += block.slices.size();
        sums.invalid += block.slices.size() - totals.slices;
        for (const SliceSample& slice : block.slices) {
            sums.idle_connections = slice.answer.idle_connections.value_or(0);
            sums.self_reported = sums.self_reported || slice.self_reported;
        }
    }
    return sums;
}

/// A driver that is busy for this share of the time sets the pace.
constexpr double saturated_driver = 0.95;

void check_driver(std::vector<Warning>& warnings, const Sums& sums, const std::string& cell) {
    const double busy = sums.driver_cpu_ns / sums.elapsed_ns;
    if (!(busy >= saturated_driver)) return;
    Warning warning{Grade::voids,
                    "generator_bound",
                    fmt::format("the driver was {:.0f}% busy: it, not the loop, set the throughput",
                                busy * 100),
                    "use more connections than one driver can saturate, or compare in lockstep",
                    "throughput",
                    cell};
    warnings.push_back(warning);
    warning.metric = "bytes_per_second";
    warnings.push_back(std::move(warning));
}

void check_rounds(std::vector<Warning>& warnings, const Sums& sums, const std::string& cell) {
    constexpr double tolerance = 0.1;
    if (sums.rounds == 0 || sums.voluntary == 0) return;
    const double switches = sums.voluntary / sums.rounds;
    if (std::abs(switches - 1) <= tolerance) return;
    warnings.push_back(note(
        "preempted_rounds",
        fmt::format("{}: {:.2f} voluntary switches a round instead of one: the processor changed "
                    "hands in mid-round",
                    cell, switches),
        "compare ops_per_turn between arms, or use fewer connections"));
}

/// In lockstep all arms are sent the same batches: processor time an operation is like for like
/// only where their turns serve as much of one.
void check_batches(std::vector<Warning>& warnings, const CasePlan& plan,
                   const PlacementSamples& samples) {
    std::vector<std::string> served;
    double least = 0;
    double most = 0;
    for (std::size_t arm = 0; arm < samples.arms.size(); ++arm) {
        const Sums sums = sum_up(samples.arms[arm]);
        if (sums.turns == 0) continue;
        const double batch = sums.operations / sums.turns;
        least = served.empty() ? batch : std::min(least, batch);
        most = std::max(most, batch);
        const std::string why = why_capped(plan, plan.arms[arm]);
        served.push_back(fmt::format("{} {:.1f}{}", plan.arms[arm].spec.id, batch,
                                     why.empty() ? "" : " (" + why + ")"));
        if (samples.arms.size() == 1 && !why.empty()) {
            warnings.push_back(note("capped_turns",
                                    fmt::format("operations a turn: {}", served.back()),
                                    "use fewer active connections to have whole rounds served"));
        }
    }
    if (served.size() < 2 || least >= (1 - batch_tolerance) * most) return;
    warnings.push_back(note(
        "unequal_batches",
        fmt::format("{}, {}: unlike batches, in operations a turn: {}", plan.workload.name,
                    name_of(samples.placement), fmt::join(served, ", ")),
        "read the ratio of processor time as that of these batches, or use fewer connections"));
}

/// What an operation took in these slices, in nanoseconds: of processor time where it is known.
/// Nothing when none counts.
std::optional<double> cost_of(std::span<const SliceSample> slices) {
    double operations = 0;
    double ns = 0;
    for (const SliceSample& slice : slices) {
        if (!slice.invalid.empty()) continue;
        operations += static_cast<double>(slice.answer.operations);
        ns += static_cast<double>(slice.cpu_ns.value_or(slice.answer.elapsed_ns));
    }
    return operations > 0 && ns > 0 ? std::optional(ns / operations) : std::nullopt;
}

/// An arm that was still warming up when its slices began to count is cheaper in the second half of
/// its blocks. The machine's own drift goes either way, from block to block.
void check_steady(std::vector<Warning>& warnings, const ArmSamples& arm, const std::string& cell) {
    constexpr double tolerance = 0.03;
    std::vector<double> log_ratios;
    for (const BlockSamples& block : arm.blocks) {
        const std::span<const SliceSample> slices(block.slices);
        const auto early = cost_of(slices.first(slices.size() / 2));
        const auto late = cost_of(slices.subspan(slices.size() / 2));
        if (early && late) log_ratios.push_back(std::log(*early / *late));
    }
    if (log_ratios.empty()) return;
    const RatioEstimate early_to_late = ratio_interval(log_ratios);
    if (!early_to_late.interval) return;
    if (early_to_late.interval->low <= 1 + tolerance &&
        early_to_late.interval->high >= 1 - tolerance) {
        return;
    }
    warnings.push_back(note("not_steady",
                            fmt::format("{}: no steady state: an operation costs {:.2f} times as "
                                        "much in the first half of a block as in the second",
                                        cell, early_to_late.ratio),
                            "run more or longer slices (--slices, --slice-ms)"));
}

/// The share of the time in which it wanted the processor that an arm got it. In lockstep SUT and
/// driver wait for one another by design, so there it is the share that both together used.
void check_delivered(std::vector<Warning>& warnings, const PlacementSamples& samples,
                     const Sums& sums, const std::string& cell) {
    constexpr double enough = 0.9;
    if (sums.cpu_ns == 0 || (samples.placement != Placement::lockstep && sums.running_ns == 0))
        return;
    const double delivered = samples.placement == Placement::lockstep
                                 ? (sums.cpu_ns + sums.driver_cpu_ns) / sums.elapsed_ns
                                 : sums.running_ns / (sums.running_ns + sums.waiting_ns);
    if (delivered >= enough) return;
    warnings.push_back(note("delivered_cpu",
                            fmt::format("{}: only {:.0f}% of the processor time that it could "
                                        "have used was delivered",
                                        cell, delivered * 100),
                            "stop other programs, or take other processors with --cpus"));
}

void check_arm(std::vector<Warning>& warnings, const CasePlan& plan,
               const PlacementSamples& samples, std::size_t arm) {
    const Sums sums = sum_up(samples.arms[arm]);
    if (sums.slices == 0) return;
    const std::string cell =
        cell_name(plan.workload.name, plan.arms[arm].spec.id, name_of(samples.placement));
    if (samples.placement == Placement::split) {
        check_driver(warnings, sums, cell);
        check_open_loop(warnings, samples.arms[arm], cell);
    }
    if (samples.placement == Placement::lockstep) check_rounds(warnings, sums, cell);
    check_delivered(warnings, samples, sums, cell);
    check_steady(warnings, samples.arms[arm], cell);
    const std::uint64_t meant_idle = plan.workload.sockets
                                         ? plan.params["connections"].get<std::uint64_t>() -
                                               plan.params["active"].get<std::uint64_t>()
                                         : 0;
    if (sums.idle_connections > meant_idle) {
        warnings.push_back(note("idle_connections",
                                fmt::format("{}: {} connections never carried traffic", cell,
                                            sums.idle_connections - meant_idle),
                                "run longer slices (--slice-ms)"));
    }
    if (sums.self_reported) {
        warnings.push_back(note("self_reported",
                                fmt::format("{}: processor time is self-reported, since the SUT "
                                            "runs behind --sut-prefix",
                                            cell),
                                "measure on this machine to have it read from outside"));
    }
    constexpr double most_invalid = 0.1;
    constexpr std::size_t few = 2;  // so many say nothing, of however many slices
    if (sums.invalid > few &&
        static_cast<double>(sums.invalid) > most_invalid * static_cast<double>(sums.slices)) {
        warnings.push_back(
            {Grade::unfit, "invalid_slices",
             fmt::format("{}: {} of {} slices were disturbed", cell, sums.invalid, sums.slices),
             "stop what disturbs them", std::nullopt, cell});
    }
}

}  // namespace

std::string cell_name(const std::string& workload, const std::string& arm,
                      std::string_view placement) {
    return fmt::format("{} on {}, {}", workload, arm, placement);
}

std::string why_capped(const CasePlan& plan, const ReadyArm& arm) {
    const json capabilities = arm.description.value("capabilities", json::object());
    const json limit = capabilities.value("turn_limit", json());
    const std::uint64_t active = plan.params["active"].get<std::uint64_t>();
    if (!limit.is_number_integer() || limit.get<std::uint64_t>() >= active) return "";
    return fmt::format("capped by library at {} descriptors a turn", limit.get<std::uint64_t>());
}

std::vector<Warning> check_conditions(const CasePlan& plan, const Settings& settings) {
    std::vector<Warning> warnings;
    const auto tell = [&](const Finding& finding) {
        if (finding.grade) warnings.push_back(to_warning(finding));
    };
    for (const ReadyArm& arm : plan.arms) {
        const DescribedSut sut{arm.spec.id, arm.description};
        tell(check_sanitizers({sut}));
        tell(check_assertions({sut}));
    }
    for (const Finding& finding :
         check_before_measuring(SystemFiles(), settings.processors, plan.workload.sockets)) {
        tell(finding);
    }
    return warnings;
}

std::vector<Warning> check_samples(const CasePlan& plan, const PlacementSamples& samples) {
    std::vector<Warning> warnings;
    if (samples.placement == Placement::lockstep && plan.workload.sockets) {
        check_batches(warnings, plan, samples);
    }
    for (std::size_t arm = 0; arm < samples.arms.size(); ++arm) {
        check_arm(warnings, plan, samples, arm);
        const auto& deviations = samples.arms[arm].deviations;
        if (deviations.empty() || samples.placement != plan.placements.front()) continue;
        warnings.push_back(note("not_like_for_like",
                                fmt::format("{} on {}: not like for like: {}", plan.workload.name,
                                            plan.arms[arm].spec.id, fmt::join(deviations, ", ")),
                                "give these parameters a value that every arm can apply"));
    }
    return warnings;
}

}  // namespace loopbench
