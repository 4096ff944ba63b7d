#include "harness/offered_rate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <vector>

#include "harness/crew.hpp"
#include "harness/errors.hpp"
#include "harness/plan.hpp"
#include "results/quantity.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// How long it is tried what an arm can do at the most, after it has warmed up for so long.
constexpr std::chrono::milliseconds rehearsed{150};
constexpr std::chrono::milliseconds warm_up{30};

/// Of what happens meanwhile nothing is told: it takes a fraction of a second.
class Unobserved : public MeasureObserver {
  public:
    void slice_taken(Placement, const std::string&, const SliceSample&) override {}
    void arm_failed(const std::string&, const ProcessError&) override {}
    void progress(double, const std::string&) override {}
};

/// Messages that every active connection carries in a slice, at the least.
std::uint64_t messages_each() {
    return least_operations_per_connection(Placement::split);
}

/// What an arm does in a closed loop, in operations a second.
double closed_loop_rate(Crew& crew, std::size_t arm) {
    const BlockPlan block = plan_block(crew.settings().seed, "rate", 0, crew.size(), 1);
    const auto station = crew.start(arm, crew.options(Placement::split, arm, block));
    Work work;
    work.driven.min_operations_per_connection = messages_each();
    work.driven.min_time = warm_up;
    station->work(work);
    work.driven.min_time = rehearsed;
    const SliceAnswer answer = station->work(work);
    station->finish();
    return static_cast<double>(answer.operations) / static_cast<double>(answer.elapsed_ns) * 1e9;
}

/// Turns "50%" into that share of the slowest arm's maximum.
void settle_share(CasePlan& plan, const Settings& settings, const StopSignals& signals) {
    const std::string wanted = plan.params["rate"].get<std::string>();
    CasePlan closed = plan;
    closed.params["rate"] = 0;
    Unobserved unobserved;
    Crew crew(closed, settings, signals, unobserved);
    json maxima = json::object();
    std::string slowest;
    for (std::size_t arm = 0; arm < plan.arms.size(); ++arm) {
        const std::string& id = plan.arms[arm].spec.id;
        maxima[id] = closed_loop_rate(crew, arm);
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
        static_cast<double>(settings.slice_rounds > 0 ? settings.slice_rounds : messages_each());
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
