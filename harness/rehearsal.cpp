#include "harness/rehearsal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/figures.hpp"

namespace loopbench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

std::optional<std::uint64_t> allocations_of(const CountedSlice& slice) {
    const auto found = slice.counts.counters.find("allocations");
    return found == slice.counts.counters.end() ? std::nullopt : found->second;
}

}  // namespace

std::optional<double> count_per_operation(
    Station& station, const Work& work,
    const std::function<std::optional<std::uint64_t>(const CountedSlice&)>& count) {
    const CountedSlice once = station.count(work);
    std::optional<std::uint64_t> counted = count(once);
    std::uint64_t operations = once.slice.answer.operations;
    if (counted && !station.is_driven()) {
        Work twice = work;
        twice.operations *= 2;
        twice.expected *= 2;
        const CountedSlice longer = station.count(twice);
        const std::uint64_t more = count(longer).value_or(0);
        counted = more - std::min(more, *counted);
        operations =
            longer.slice.answer.operations - std::min(longer.slice.answer.operations, operations);
    }
    if (!counted || operations == 0) return std::nullopt;
    return static_cast<double>(*counted) / static_cast<double>(operations);
}

std::optional<std::uint64_t> syscalls_of(const CountedSlice& slice) {
    return slice.slice.syscalls;
}

Rehearsal::Rehearsal(Crew& crew)
    : crew_(crew),
      placement_(crew.plan().placements.front()),
      wanted_(crew.settings().slice.value_or(usual_slice(placement_))),
      ns_per_operation_(crew.size(), 1),
      counted_(crew.size()) {}

void Rehearsal::run() {
    for (std::size_t arm = 0; arm < crew_.size(); ++arm) {
        crew_.observer().progress(0, fmt::format("rehearsing {}", crew_.plan().arms[arm].spec.id));
        crew_.attempt(arm, [&] { rehearse(arm); });
        crew_.attempt(arm, [&] { count_allocations(arm); });
    }
}

nanoseconds Rehearsal::slice(Placement placement) const {
    const nanoseconds length = crew_.settings().slice.value_or(usual_slice(placement));
    if (!crew_.plan().workload.sockets) return std::max(length, longest_);
    const double slowest = *std::max_element(ns_per_operation_.begin(), ns_per_operation_.end());
    const auto active = crew_.plan().params.at("active").get<double>();
    const std::uint64_t rounds = crew_.settings().slice_rounds;
    const double least =
        rounds > 0
            ? slowest * static_cast<double>(rounds) * active
            : slowest * active * static_cast<double>(least_operations_per_connection(placement));
    return std::max(rounds > 0 ? nanoseconds(0) : length,
                    nanoseconds(static_cast<std::int64_t>(least)));
}

std::vector<Work> Rehearsal::work(Placement placement) const {
    std::vector<Work> all(crew_.size());
    const nanoseconds length = slice(placement);
    for (std::size_t arm = 0; arm < all.size(); ++arm) {
        Work& work = all[arm];
        work.expected = length;
        const std::uint64_t rounds = crew_.settings().slice_rounds;
        if (rounds > 0) {
            work.driven.rounds = rounds;
            work.operations = rounds;
            continue;
        }
        work.driven.min_time = length;
        work.driven.min_operations_per_connection = least_operations_per_connection(placement);
        constexpr double most_operations = 1e12;  // what takes no time never fills a slice
        work.operations = static_cast<std::uint64_t>(std::min(
            most_operations, static_cast<double>(length.count()) / ns_per_operation_[arm] + 1));
    }
    return all;
}

BlockCost Rehearsal::cost(Placement placement) const {
    const auto arms = static_cast<int>(crew_.size());
    const nanoseconds length = slice(placement);
    BlockCost cost{fixed_ + arms * length, arms * (length + overhead_)};
    // System calls are counted in processes of their own: warm-up, lead-in, and a slice, or in
    // process two, one twice as long.
    if (crew_.plan().count_syscalls_by_block) cost.fixed += fixed_ + arms * 4 * length;
    return cost;
}

/// Finds out how long an operation takes.
void Rehearsal::calibrate(std::size_t arm, Station& station) {
    if (!station.is_driven()) return fill_slice(arm, station);
    Work work;
    work.expected = wanted_;
    work.driven.min_time = wanted_;
    work.driven.min_operations_per_connection = least_operations_per_connection(placement_);
    station.work(work);  // the first slice meets cold caches
    const SliceAnswer answer = station.work(work);
    ns_per_operation_[arm] = static_cast<double>(answer.elapsed_ns) /
                             static_cast<double>(std::max<std::uint64_t>(1, answer.operations));
}

/// Asks for more and more operations until they fill a slice: a few say little about many, because
/// of caches, and of what happens once in a while.
void Rehearsal::fill_slice(std::size_t arm, Station& station) {
    constexpr std::uint64_t enough_operations = 1'000'000'000'000;
    Work work;
    // From one on: in some workloads an operation takes longer than a slice is meant to.
    work.operations = std::max<std::uint64_t>(1, crew_.settings().slice_rounds);
    work.expected = wanted_;
    while (true) {
        const SliceAnswer answer = station.work(work);
        const double elapsed = static_cast<double>(std::max<std::uint64_t>(1, answer.elapsed_ns));
        const double missing = static_cast<double>(wanted_.count()) / elapsed;
        const bool exact = crew_.settings().slice_rounds > 0;
        if (exact || missing < 4 || work.operations >= enough_operations) {
            ns_per_operation_[arm] =
                elapsed / static_cast<double>(std::max<std::uint64_t>(1, answer.operations));
            // A slice cannot be less than one unit of the workload, nor than what is wanted
            // exactly.
            if (exact || missing < 1) {
                longest_ = std::max(longest_, nanoseconds(answer.elapsed_ns));
            }
            return;
        }
        work.operations = static_cast<std::uint64_t>(static_cast<double>(work.operations) *
                                                     std::clamp(missing, 2.0, 50.0));
    }
}

void Rehearsal::rehearse(std::size_t arm) {
    const BlockPlan block = plan_block(crew_.settings().seed, "rehearsal", 0, crew_.size(), 1);
    StationOptions options = crew_.options(placement_, arm, block);
    const bool foreign = !crew_.plan().arms[arm].target.empty();
    options.count_syscalls = !foreign;
    const auto start = Clock::now();
    const std::unique_ptr<Station> station = crew_.start(arm, options);
    const auto ready = Clock::now();
    calibrate(arm, *station);
    ArmSamples& counted = counted_[arm];
    counted.deviations = station->deviations();
    const Work work = this->work(placement_)[arm];
    const auto warmed = Clock::now();
    const SliceSample sample = station->slice(work);
    overhead_ = std::max(overhead_, Clock::now() - warmed - nanoseconds(sample.answer.elapsed_ns));
    if (foreign) {
        counted.syscalls.reason = foreign_server;
    } else {
        counted.syscalls.per_operation = count_per_operation(*station, work, syscalls_of);
        counted.syscalls.reason = station->no_syscall_counter();
        counted.syscalls.total = station->syscalls();
    }
    const auto leaving = Clock::now();
    station->finish();
    fixed_ += (ready - start) + (Clock::now() - leaving);
}

void Rehearsal::count_allocations(std::size_t arm) {
    CountedApart& allocations = counted_[arm].allocations;
    if (!crew_.plan().arms[arm].target.empty()) {
        allocations.reason = foreign_server;
        return;
    }
    if (crew_.settings().allocation_counter.empty()) {
        allocations.reason = "libloopbench-allocations.so was not found beside the SUTs";
        return;
    }
    const BlockPlan block = plan_block(crew_.settings().seed, "allocations", 0, crew_.size(), 1);
    StationOptions options = crew_.options(placement_, arm, block);
    options.count_allocations = true;
    const std::unique_ptr<Station> station = crew_.start(arm, options);
    const Work work = this->work(placement_)[arm];
    station->work(work);
    allocations.per_operation = count_per_operation(*station, work, allocations_of);
    if (!allocations.per_operation) allocations.reason = "the SUT cannot count its allocations";
    station->finish();
}

}  // namespace loopbench
