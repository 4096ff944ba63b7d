#include "harness/offered_rate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <vector>

#include "harness/errors.hpp"
#include "harness/plan.hpp"
#include "harness/scratch_directory.hpp"
#include "harness/station.hpp"
#include "results/quantity.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// How long it is tried what an arm can do at the most, after it has warmed up for so long.
constexpr std::chrono::milliseconds rehearsed{150};
constexpr std::chrono::milliseconds warm_up{30};

/// Messages that every active connection carries in a slice, at the least.
constexpr std::uint64_t messages_each = 20;

/// Where the SUT of an arm listens while it is tried.
std::string listen_address(const CasePlan& plan, const Settings& settings,
                           const ScratchDirectory& scratch, std::size_t arm) {
    if (!settings.listen.empty()) return settings.listen;
    if (plan.params.at("transport") == "tcp") return "127.0.0.1:0";
    return fmt::format("unix:{}/{}", scratch.path().string(), arm);
}

/// What an arm does in a closed loop, in operations a second.
double closed_loop_rate(const CasePlan& plan, std::size_t arm, const Settings& settings,
                        const ScratchDirectory& scratch, const StopSignals& signals) {
    const BlockPlan block = plan_block(settings.seed, "rate", 0, plan.arms.size(), 1);
    StationOptions options;
    options.placement = Placement::split;
    options.seed = block.seed;
    options.padding = block.padding.at(arm);
    options.listen = listen_address(plan, settings, scratch, arm);
    Station station(plan, plan.arms[arm], settings, options, signals);
    Work work;
    work.driven.min_operations_per_connection = messages_each;
    work.driven.min_time = warm_up;
    station.work(work);
    work.driven.min_time = rehearsed;
    const SliceAnswer answer = station.work(work);
    station.finish();
    return static_cast<double>(answer.operations) / static_cast<double>(answer.elapsed_ns) * 1e9;
}

/// Turns "50%" into that share of the slowest arm's maximum.
void settle_share(CasePlan& plan, const Settings& settings, const StopSignals& signals) {
    const std::string wanted = plan.params["rate"].get<std::string>();
    CasePlan closed = plan;
    closed.params["rate"] = 0;
    const ScratchDirectory scratch;
    json maxima = json::object();
    std::string slowest;
    for (std::size_t arm = 0; arm < plan.arms.size(); ++arm) {
        const std::string& id = plan.arms[arm].spec.id;
        maxima[id] = closed_loop_rate(closed, arm, settings, scratch, signals);
        if (slowest.empty() || maxima[id] < maxima[slowest]) slowest = id;
    }
    const double share = std::stod(wanted) / 100;  // the percent sign ends the number
    const double rate = std::max(1.0, std::round(share * maxima[slowest].get<double>()));
    plan.params["rate"] = static_cast<std::uint64_t>(rate);
    plan.offered_rate = {{"wanted", wanted}, {"slowest", slowest}, {"closed_loop_maxima", maxima}};
}

/// A slice has so many messages on every connection that at a very low rate it would never end.
void check_slices_end(const CasePlan& plan, const Settings& settings) {
    constexpr double longest_slice_s = 10;
    const auto rate = plan.params["rate"].get<double>();
    const auto active = plan.params["active"].get<double>();
    const auto each =
        static_cast<double>(settings.slice_rounds > 0 ? settings.slice_rounds : messages_each);
    if (each * active <= rate * longest_slice_s) return;
    throw UsageError(fmt::format(
        "--rate={}: a slice of {} messages on each of {} connections would take {:.0f} s; give at "
        "least --rate={:.0f}, or fewer --active",
        plan.params["rate"].get<std::uint64_t>(), each, active, each * active / rate,
        std::ceil(each * active / longest_slice_s)));
}

}  // namespace

bool is_open_loop(const json& params) {
    const auto rate = params.find("rate");
    return rate != params.end() && *rate != 0;
}

std::string placement_with_rate(const std::string& wanted, const json& params,
                                const Processors& processors) {
    if (!is_open_loop(params)) return wanted;
    const json& rate = params["rate"];
    const std::string flag =
        fmt::format("--rate={}", rate.is_string() ? rate.get<std::string>() : rate.dump());
    if (!processors.driver) {
        throw UsageError(flag +
                         ": an open loop needs two processors, one for the driver, and there is "
                         "one; leave the flag away for a closed loop in lockstep");
    }
    if (wanted == "lockstep") {
        throw UsageError(flag +
                         ": in lockstep the driver waits for the answers, so there is no open "
                         "loop; give --placement=split, or leave --rate away");
    }
    return wanted.empty() ? "split" : wanted;
}

void settle_offered_rate(CasePlan& plan, const Settings& settings, const StopSignals& signals) {
    if (!is_open_loop(plan.params)) return;
    if (plan.params["rate"].is_string()) settle_share(plan, settings, signals);
    check_slices_end(plan, settings);
}

std::string describe_offered_rate(const CasePlan& plan) {
    if (plan.offered_rate.is_null()) return "";
    std::vector<std::string> maxima;
    for (const auto& [arm, rate] : plan.offered_rate["closed_loop_maxima"].items()) {
        maxima.push_back(
            fmt::format("{} {}", arm, format_quantity(rate.get<double>(), "op/s", {})));
    }
    return fmt::format("rate: {}/s, {} of what {} did at the most in a closed loop ({})\n",
                       plan.params["rate"].get<std::uint64_t>(),
                       plan.offered_rate["wanted"].get<std::string>(),
                       plan.offered_rate["slowest"].get<std::string>(), fmt::join(maxima, ", "));
}

}  // namespace loopbench
