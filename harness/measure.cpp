#include "harness/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>

namespace loopbench {
namespace {

using std::chrono::nanoseconds;

/// An arm that sleeps may use this share of another's slice, and what its control channel takes it.
constexpr double most_idle_share = 0.02;
constexpr double most_idle_ns = 200'000;
/// How long an arm that has answered may take to fall asleep: it may have to wait for a processor.
constexpr nanoseconds falling_asleep = std::chrono::milliseconds(50);

/// Waits for an arm, in vain for one that does not sleep by its nature.
void wait_until_asleep(const Station& station) {
    const auto give_up = std::chrono::steady_clock::now() + falling_asleep;
    while (!station.asleep() && std::chrono::steady_clock::now() < give_up) {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
}

}  // namespace

int PlacementSamples::whole_blocks() const {
    std::ptrdiff_t blocks = INT_MAX;
    for (const ArmSamples& arm : arms) {
        if (!arm.failure.empty()) continue;
        blocks = std::min(blocks, std::count_if(arm.blocks.begin(), arm.blocks.end(),
                                                [](const auto& block) { return block.whole(); }));
    }
    return blocks == INT_MAX ? 0 : static_cast<int>(blocks);
}

std::size_t PlacementSamples::least_slices() const {
    std::size_t least = static_cast<std::size_t>(shape.slices);
    for (const ArmSamples& arm : arms) {
        for (const BlockSamples& block : arm.blocks) least = std::min(least, block.planned);
    }
    return least;
}

Measurement::Measurement(const CasePlan& plan, const Settings& settings, const StopSignals& signals,
                         StoppingRule& rule, MeasureObserver& observer)
    : plan_(plan),
      settings_(settings),
      rule_(rule),
      observer_(observer),
      crew_(plan, settings, signals, observer),
      rehearsal_(crew_) {}

void Measurement::run() {
    begin_ = Clock::now();
    try {
        rehearsal_.run();
        run_placements();
    } catch (const OutOfArms&) {
        // Each failure was told when it came; what there is of the others remains.
        if (samples_.empty()) samples_.emplace_back().arms = rehearsal_.counted();
        samples_.back().placement = plan_.placements.at(samples_.size() - 1);
        samples_.back().stopped = "too many arms broke off";
    }
    // What was measured in a placement before is whole.
    note_failures(samples_.back());
}

void Measurement::note_failures(PlacementSamples& samples) const {
    for (std::size_t arm = 0; arm < crew_.size(); ++arm) {
        samples.arms[arm].failure = crew_.failure(arm);
    }
}

void Measurement::run_placements() {
    const auto end = begin_ + settings_.budget;
    for (std::size_t i = 0; i < plan_.placements.size(); ++i) {
        const auto now = Clock::now();
        const auto share = (end - now) / static_cast<int>(plan_.placements.size() - i);
        PlacementSamples& samples = samples_.emplace_back();
        samples.placement = plan_.placements[i];
        samples.slice = rehearsal_.slice(samples.placement);
        samples.arms = rehearsal_.counted();
        if (i > 0) {
            // One of the figures is enough: the placement does not change what a loop calls.
            for (ArmSamples& arm : samples.arms) {
                arm.syscalls = {{}, "counted in lockstep placement", {}};
                arm.allocations = {{}, "counted in lockstep placement", {}};
            }
        }
        work_ = rehearsal_.work(samples.placement);
        watch_.emplace(settings_.processors.sut, samples.placement == Placement::split
                                                     ? settings_.processors.driver
                                                     : std::nullopt);
        run_placement(samples, now + share);
    }
}

void Measurement::run_placement(PlacementSamples& samples, Clock::time_point deadline) {
    const auto started = Clock::now();
    const ShapeWish wish{usual_slices(samples.slice), rule_.least_blocks(), settings_.blocks,
                         settings_.slices};
    samples.shape = fit_shape(deadline - started, rehearsal_.cost(samples.placement), wish);
    const std::vector<int> looks = rule_.looks(samples.shape.blocks);
    for (int block = 0; block < samples.shape.blocks; ++block) {
        if (!settings_.blocks && out_of_time(block, started, deadline)) {
            samples.stopped = "the budget was used up";
            return;
        }
        report_progress(samples, block);
        run_block(samples, block, slices_that_fit(samples, block, started, deadline));
        note_failures(samples);
        samples.block_seconds =
            std::chrono::duration<double>(Clock::now() - started).count() / (block + 1);
        if (std::find(looks.begin(), looks.end(), block + 1) == looks.end()) continue;
        samples.stopped = rule_.look(samples);
        if (!samples.stopped.empty()) return;
    }
    samples.stopped = settings_.blocks ? "all blocks were run" : "the budget was used up";
}

bool Measurement::out_of_time(int done, Clock::time_point started,
                              Clock::time_point deadline) const {
    if (done == 0) return false;
    const auto now = Clock::now();
    const auto block_time = (now - started) / done;
    if (now + block_time <= deadline) return false;
    // The blocks turned out dearer than the rehearsal promised. The last one makes the interval:
    // for it a fifth of the share may be overdrawn.
    const auto missing = block_time * std::max(0, rule_.least_blocks() - done);
    return missing.count() == 0 || now + missing > deadline + (deadline - started) / 5;
}

/// The slices of the next block: as planned, or fewer when the blocks so far were dearer than the
/// rehearsal promised and the least number of them would be missed.
int Measurement::slices_that_fit(const PlacementSamples& samples, int done,
                                 Clock::time_point started, Clock::time_point deadline) const {
    const int missing = rule_.least_blocks() - done;
    if (done == 0 || missing <= 0 || settings_.slices || settings_.blocks) {
        return samples.shape.slices;
    }
    const auto now = Clock::now();
    const double needed = missing * std::chrono::duration<double>((now - started) / done).count();
    const double left = std::chrono::duration<double>(deadline - now).count();
    const double share = std::clamp(left / needed, 0.0, 1.0);
    return std::max(1, static_cast<int>(samples.shape.slices * share));
}

void Measurement::run_block(PlacementSamples& samples, int block, int slices) {
    const std::size_t arms = crew_.size();
    const BlockPlan plan =
        plan_block(settings_.seed, std::string(name_of(samples.placement)), block, arms, slices);
    for (ArmSamples& arm : samples.arms) {
        arm.blocks.emplace_back().planned = static_cast<std::size_t>(slices);
    }
    Stations stations(arms);
    start_block(samples, stations, plan);
    int place = 0;
    for (const std::size_t arm : plan.slice_order) {
        const bool taken = crew_.attempt(arm, [&] {
            SliceSample sample = take_slice(stations, arm);
            sample.block = block;
            sample.slice = place;
            observer_.slice_taken(samples.placement, plan_.arms[arm].spec.id, sample);
            samples.arms[arm].blocks.back().add(std::move(sample));
        });
        if (!taken) stations[arm].reset();
        ++place;
    }
    for (std::size_t arm = 0; arm < arms; ++arm) {
        crew_.attempt(arm, [&] {
            samples.arms[arm].blocks.back().counts = stations[arm]->end_counting();
            samples.arms[arm].blocks.back().facts = stations[arm]->finish();
        });
    }
    stations.clear();
    if (!plan_.count_syscalls_by_block) return;
    for (const std::size_t arm : plan.start_order) {
        crew_.attempt(arm, [&] { count_syscalls(samples, arm, plan); });
    }
}

/// Fresh processes for every arm, each warmed up; then all of them asleep.
void Measurement::start_block(PlacementSamples& samples, Stations& stations,
                              const BlockPlan& plan) {
    for (const std::size_t arm : plan.start_order) {
        crew_.attempt(arm, [&] {
            stations[arm] = crew_.start(arm, crew_.options(samples.placement, arm, plan));
            stations[arm]->work(work_[arm]);
            stations[arm]->note_loaded();
            samples.arms[arm].no_hardware_counters = stations[arm]->no_hardware_counter();
            stations[arm]->begin_counting();
            wait_until_asleep(*stations[arm]);
        });
        if (!crew_.failure(arm).empty()) stations[arm].reset();
    }
}

void Measurement::count_syscalls(PlacementSamples& samples, std::size_t arm,
                                 const BlockPlan& plan) {
    StationOptions options = crew_.options(samples.placement, arm, plan);
    options.count_syscalls = true;
    const std::unique_ptr<Station> station = crew_.start(arm, options);
    station->work(work_[arm]);
    samples.arms[arm].blocks.back().syscalls_per_operation =
        count_per_operation(*station, work_[arm], syscalls_of);
    station->finish();
}

SliceSample Measurement::take_slice(Stations& stations, std::size_t arm) {
    std::vector<std::uint64_t> before;
    for (const auto& station : stations) before.push_back(station ? station->cpu_ns() : 0);
    SliceSample sample = stations[arm]->slice(work_[arm], &*watch_);
    for (std::size_t other = 0; other < stations.size(); ++other) {
        if (other == arm || !stations[other]) continue;
        const std::uint64_t now = stations[other]->cpu_ns();
        sample.idle_arms_cpu_ns += now - std::min(now, before[other]);
    }
    if (static_cast<double>(sample.idle_arms_cpu_ns) >
        most_idle_ns + most_idle_share * static_cast<double>(sample.answer.elapsed_ns)) {
        sample.invalid = "an arm that was meant to sleep used the processor";
    }
    wait_until_asleep(*stations[arm]);
    return sample;
}

void Measurement::report_progress(const PlacementSamples& samples, int block) const {
    const double spent = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double budget = std::chrono::duration<double>(settings_.budget).count();
    observer_.progress(std::min(1.0, spent / budget),
                       fmt::format("{}, block {} of {}", name_of(samples.placement), block + 1,
                                   samples.shape.blocks));
}

}  // namespace loopbench
