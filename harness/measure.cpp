#include "harness/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>

#include "harness/compute.hpp"
#include "harness/figures.hpp"

namespace loopbench {
namespace {

using std::chrono::nanoseconds;

/// Every active connection of a socket workload carries at least this many messages in a slice.
constexpr std::uint64_t least_operations_per_connection = 20;
/// Reading counters and asking for marks, a slice.
constexpr nanoseconds reading_cost = std::chrono::milliseconds(1);
/// An arm that sleeps may use this share of another's slice, and what its control channel takes it.
constexpr double most_idle_share = 0.02;
constexpr double most_idle_ns = 200'000;
/// How long an arm that has answered may take to fall asleep: it may have to wait for a processor.
constexpr nanoseconds falling_asleep = std::chrono::milliseconds(50);

}  // namespace

int PlacementSamples::whole_blocks() const {
    const auto is_whole = [](const BlockSamples& block) {
        return block.slices.size() == block.planned;
    };
    std::ptrdiff_t blocks = arms.empty() ? 0 : PTRDIFF_MAX;
    for (const ArmSamples& arm : arms) {
        blocks = std::min(blocks, std::count_if(arm.blocks.begin(), arm.blocks.end(), is_whole));
    }
    return static_cast<int>(blocks);
}

Measurement::Measurement(const CasePlan& plan, const Settings& settings, const StopSignals& signals,
                         MeasureObserver& observer)
    : plan_(plan),
      settings_(settings),
      signals_(signals),
      observer_(observer),
      slice_(settings.slice),
      work_(plan.arms.size()),
      apart_(plan.arms.size()) {}

void Measurement::run() {
    begin_ = Clock::now();
    const auto end = begin_ + settings_.budget;
    for (std::size_t arm = 0; arm < plan_.arms.size(); ++arm) {
        observer_.progress(0, fmt::format("rehearsing {}", plan_.arms[arm].spec.id));
        rehearse(arm, plan_.placements.front());
        count_allocations(arm, plan_.placements.front());
    }
    // The slowest arm decided how long a slice must be; it is the same for all.
    for (Work& work : work_) {
        if (settings_.slice_rounds > 0) break;
        const double longer =
            static_cast<double>(slice_.count()) / static_cast<double>(work.expected.count());
        work.operations = static_cast<std::uint64_t>(static_cast<double>(work.operations) * longer);
        work.driven.min_time = slice_;
        work.expected = slice_;
    }
    for (std::size_t i = 0; i < plan_.placements.size(); ++i) {
        const auto now = Clock::now();
        const auto share = (end - now) / static_cast<int>(plan_.placements.size() - i);
        PlacementSamples& samples = samples_.emplace_back();
        samples.placement = plan_.placements[i];
        samples.slice = slice_;
        samples.arms = apart_;
        if (i > 0) {
            // One of the figures is enough: the placement does not change what a loop calls.
            for (ArmSamples& arm : samples.arms) {
                arm.syscalls = {{}, "counted in lockstep placement", {}};
                arm.allocations = {{}, "counted in lockstep placement", {}};
            }
        }
        run_placement(samples, now + share);
    }
}

StationOptions Measurement::station_options(Placement placement, std::size_t arm,
                                            const BlockPlan& block) {
    StationOptions options;
    options.placement = placement;
    options.seed = block.seed;
    options.padding = block.padding.at(arm);
    if (!plan_.workload.sockets) return options;
    if (!settings_.listen.empty()) {
        options.listen = settings_.listen;
    } else if (plan_.params.at("transport") == "tcp") {
        options.listen = "127.0.0.1:0";
    } else {
        options.listen = fmt::format("unix:{}/{}", scratch_.path().string(), sockets_made_++);
    }
    return options;
}

void Measurement::calibrate(std::size_t arm, Station& station) {
    Work& work = work_[arm];
    work.expected = slice_;
    if (settings_.slice_rounds > 0) {
        work.driven.rounds = settings_.slice_rounds;
        work.operations = settings_.slice_rounds;
        const SliceAnswer answer = station.work(work);
        slice_ = std::max(slice_, nanoseconds(answer.elapsed_ns));
        return;
    }
    if (plan_.workload.sockets) {
        work.driven.min_time = slice_;
        work.driven.min_operations_per_connection = least_operations_per_connection;
        const SliceAnswer answer = station.work(work);
        const std::uint64_t needed =
            least_operations_per_connection * plan_.params.at("active").get<std::uint64_t>();
        // Only where the number of operations, not the time, ended the slice does it need longer.
        if (answer.operations < 2 * needed) {
            slice_ = std::max(slice_, nanoseconds(answer.elapsed_ns));
        }
        work.expected = slice_;
        return;
    }
    constexpr double most_operations = 1e12;
    work.operations = 1000;
    while (true) {
        const SliceAnswer answer = station.work(work);
        const double elapsed = static_cast<double>(std::max<std::uint64_t>(1, answer.elapsed_ns));
        const double missing = static_cast<double>(slice_.count()) / elapsed;
        const double operations = static_cast<double>(answer.operations);
        if (operations >= most_operations) {  // what takes no time never fills a slice
            work.operations = answer.operations;
            return;
        }
        if (missing < 4) {
            work.operations = static_cast<std::uint64_t>(operations * std::max(missing, 1.0)) + 1;
            // A slice cannot be less than one unit of the workload.
            slice_ = std::max(slice_, nanoseconds(answer.elapsed_ns));
            work.expected = slice_;
            return;
        }
        // Small slices say little about large ones: caches, and what happens once in a while.
        work.operations = static_cast<std::uint64_t>(operations * std::clamp(missing, 2.0, 50.0));
    }
}

/// What `count` gives per operation, exactly. `sample` is a slice of `work`. Work inside the
/// process has costs a slice, whatever its length (the messages, the report): they cancel out
/// against a slice twice as long.
template <class Count>
std::optional<double> Measurement::count_per_operation(Station& station, const Work& work,
                                                       const SliceSample& sample,
                                                       const Count& count) const {
    std::optional<std::uint64_t> counted = count(sample);
    std::uint64_t operations = sample.answer.operations;
    if (counted && !plan_.workload.sockets) {
        Work twice = work;
        twice.operations *= 2;
        twice.expected *= 2;
        const SliceSample longer = station.measure(twice);
        const std::uint64_t more = count(longer).value_or(0);
        counted = more - std::min(more, *counted);
        operations = longer.answer.operations - std::min(longer.answer.operations, operations);
    }
    if (!counted || operations == 0) return std::nullopt;
    return static_cast<double>(*counted) / static_cast<double>(operations);
}

void Measurement::rehearse(std::size_t arm, Placement placement) {
    const BlockPlan block = plan_block(settings_.seed, "rehearsal", 0, plan_.arms.size(), 1);
    StationOptions options = station_options(placement, arm, block);
    const bool foreign = !plan_.arms[arm].target.empty();
    options.count_syscalls = !foreign;
    const auto start = Clock::now();
    Station station(plan_, plan_.arms[arm], settings_, options, signals_);
    const auto ready = Clock::now();
    calibrate(arm, station);
    ArmSamples& apart = apart_[arm];
    apart.deviations = station.deviations();
    if (foreign) {
        apart.syscalls.reason = foreign_server;
    } else {
        const auto warmed = Clock::now();
        const SliceSample sample = station.measure(work_[arm]);
        const auto measured = Clock::now();
        cost_.slice = std::max(cost_.slice, measured - warmed);
        apart.syscalls.per_operation = count_per_operation(
            station, work_[arm], sample, [](const SliceSample& slice) { return slice.syscalls; });
        apart.syscalls.reason = station.no_syscall_counter();
        apart.syscalls.total = station.syscalls();
    }
    const auto leaving = Clock::now();
    station.finish();
    cost_.fixed += (ready - start) + slice_ + (Clock::now() - leaving);
}

void Measurement::count_allocations(std::size_t arm, Placement placement) {
    CountedApart& allocations = apart_[arm].allocations;
    if (!plan_.arms[arm].target.empty()) {
        allocations.reason = foreign_server;
        return;
    }
    if (settings_.allocation_counter.empty()) {
        allocations.reason = "libloopbench-allocations.so was not found beside the SUTs";
        return;
    }
    const BlockPlan block = plan_block(settings_.seed, "allocations", 0, plan_.arms.size(), 1);
    StationOptions options = station_options(placement, arm, block);
    options.count_allocations = true;
    Station station(plan_, plan_.arms[arm], settings_, options, signals_);
    station.work(work_[arm]);
    allocations.per_operation =
        count_per_operation(station, work_[arm], station.measure(work_[arm]),
                            [](const SliceSample& slice) -> std::optional<std::uint64_t> {
                                const auto found = slice.counters.find("allocations");
                                if (found == slice.counters.end()) return std::nullopt;
                                return found->second;
                            });
    if (!allocations.per_operation) allocations.reason = "the SUT cannot count its allocations";
    station.finish();
}

void Measurement::run_placement(PlacementSamples& samples, Clock::time_point deadline) {
    BlockCost cost = cost_;
    // Arms run in turn; each slice has its lead-in and its readings.
    cost.slice =
        static_cast<int>(plan_.arms.size()) * (std::max(cost_.slice, slice_) + reading_cost +
                                               (plan_.workload.sockets ? lead_in : nanoseconds(0)));
    const auto started = Clock::now();
    samples.shape = fit_shape(deadline - started, cost, settings_.blocks, settings_.slices);
    for (int block = 0; block < samples.shape.blocks; ++block) {
        if (should_stop(samples, block, started, deadline)) return;
        report_progress(samples, block);
        run_block(samples, block, slices_that_fit(samples, block, started, deadline));
    }
    samples.stopped = settings_.blocks ? "all blocks were run" : "the budget was used up";
}

bool Measurement::should_stop(PlacementSamples& samples, int done, Clock::time_point started,
                              Clock::time_point deadline) const {
    if (done == 0) return false;
    const auto looks = planned_looks(samples.shape.blocks);
    const bool look = std::find(looks.begin(), looks.end(), done) != looks.end();
    if (look && settings_.precision > 0 && !settings_.blocks) {
        const auto reached = reached_precision(plan_, samples);
        if (reached && *reached <= settings_.precision) {
            samples.stopped =
                fmt::format("the precision of {:.3g}% was reached", settings_.precision * 100);
            return true;
        }
    }
    if (settings_.blocks) return false;
    const auto now = Clock::now();
    const auto block_time = (now - started) / done;
    if (now + block_time <= deadline) return false;
    // The blocks turned out dearer than the rehearsal promised. The sixth makes the interval: for
    // it a fifth of the share may be overdrawn.
    const auto missing = block_time * std::max(0, blocks_for_an_interval - done);
    if (missing.count() > 0 && now + missing <= deadline + (deadline - started) / 5) return false;
    samples.stopped = "the budget was used up";
    return true;
}

/// The slices of the next block: as planned, or fewer when the blocks so far were dearer than the
/// rehearsal promised and an interval would be missed.
int Measurement::slices_that_fit(const PlacementSamples& samples, int done,
                                 Clock::time_point started, Clock::time_point deadline) const {
    const int missing = blocks_for_an_interval - done;
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
    const std::size_t arms = plan_.arms.size();
    const BlockPlan plan =
        plan_block(settings_.seed, std::string(name_of(samples.placement)), block, arms, slices);
    std::vector<std::unique_ptr<Station>> stations(arms);
    for (const std::size_t arm : plan.start_order) {
        stations[arm] =
            std::make_unique<Station>(plan_, plan_.arms[arm], settings_,
                                      station_options(samples.placement, arm, plan), signals_);
        stations[arm]->work(work_[arm]);
        stations[arm]->note_loaded();
        samples.arms[arm].no_hardware_counters = stations[arm]->no_hardware_counter();
    }
    for (ArmSamples& arm : samples.arms) {
        arm.blocks.emplace_back().planned = static_cast<std::size_t>(slices);
    }
    int place = 0;
    for (const std::size_t arm : plan.slice_order) {
        SliceSample sample = take_slice(stations, arm);
        sample.block = block;
        sample.slice = place++;
        observer_.slice_taken(samples.placement, plan_.arms[arm].spec.id, sample);
        samples.arms[arm].blocks.back().add(std::move(sample));
    }
    for (std::size_t arm = 0; arm < arms; ++arm) {
        samples.arms[arm].blocks.back().facts = stations[arm]->finish();
    }
}

void Measurement::wait_until_asleep(const std::vector<std::unique_ptr<Station>>& stations,
                                    std::size_t but) {
    const auto give_up = Clock::now() + falling_asleep;
    for (std::size_t other = 0; other < stations.size(); ++other) {
        while (other != but && !stations[other]->asleep() && Clock::now() < give_up) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
    }
}

SliceSample Measurement::take_slice(std::vector<std::unique_ptr<Station>>& stations,
                                    std::size_t arm) {
    const auto idle_cpu = [&] {
        std::uint64_t sum = 0;
        for (std::size_t other = 0; other < stations.size(); ++other) {
            if (other != arm) sum += stations[other]->cpu_ns();
        }
        return sum;
    };
    wait_until_asleep(stations, arm);
    const std::uint64_t idle_before = idle_cpu();
    SliceSample sample = stations[arm]->measure(work_[arm]);
    sample.idle_arms_cpu_ns = idle_cpu() - idle_before;
    if (static_cast<double>(sample.idle_arms_cpu_ns) >
        most_idle_ns + most_idle_share * static_cast<double>(sample.answer.elapsed_ns)) {
        sample.invalid = "an arm that was meant to sleep used the processor";
    }
    return sample;
}

void Measurement::report_progress(const PlacementSamples& samples, int block) {
    const double spent = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double budget = std::chrono::duration<double>(settings_.budget).count();
    observer_.progress(std::min(1.0, spent / budget),
                       fmt::format("{}, block {} of {}", name_of(samples.placement), block + 1,
                                   samples.shape.blocks));
}

}  // namespace loopbench
