#include "harness/station.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace loopbench {
namespace {

std::vector<std::string> with_prefix(const std::vector<std::string>& prefix,
                                     const std::filesystem::path& program) {
    std::vector<std::string> words = prefix;
    words.push_back(program.string());
    return words;
}

/// How much a counter grew; nothing when it is missing, or fell because a thread ended.
std::optional<std::uint64_t> growth(const std::optional<std::uint64_t>& before,
                                    const std::optional<std::uint64_t>& after) {
    if (!before || !after || *after < *before) return std::nullopt;
    return *after - *before;
}

Counters growth(const Counters& before, const Counters& after) {
    Counters grown;
    for (const auto& [name, value] : after) {
        const auto earlier = before.find(name);
        grown[name] = earlier == before.end() ? std::nullopt : growth(earlier->second, value);
    }
    return grown;
}

/// What precedes `work` untimed.
Work lead_in_of(Work work) {
    if (work.driven.rounds > 0) {
        work.driven.rounds = std::max<std::uint64_t>(1, work.driven.rounds / 10);
    } else {
        work.driven.min_time = lead_in;
        work.driven.min_operations_per_connection = 1;
    }
    return work;
}

/// SUT and driver in lockstep take turns on one processor: there, waking one up must not pre-empt
/// the other. On processors of their own SCHED_BATCH would change nothing but the latency.
bool wants_batch(Placement placement) {
    return placement != Placement::split;
}

}  // namespace

/// All counters of the SUT that are read from outside.
struct Station::Reading {
    std::optional<ExternalCounters> external;
    std::optional<std::uint64_t> syscalls;
    std::optional<std::uint64_t> instructions;
    std::optional<std::uint64_t> cycles;
};

Station::Station(const CasePlan& plan, const ReadyArm& arm, const Settings& settings,
                 const StationOptions& options, const StopSignals& signals)
    : placement_(options.placement) {
    if (arm.target.empty()) {
        start_sut(plan, arm, settings, options, signals);
    } else {
        address_ = arm.target;
    }
    if (plan.workload.sockets) start_driver(plan, arm, settings, options, signals);
}

void Station::start_sut(const CasePlan& plan, const ReadyArm& arm, const Settings& settings,
                        const StationOptions& options, const StopSignals& signals) {
    ChildOptions child;
    child.command = with_prefix(settings.sut_prefix, arm.program);
    child.cpu = settings.processors.sut;
    child.batch = wants_batch(options.placement);
    child.padding = options.padding;
    if (options.count_allocations) {
        child.environment.emplace_back("LD_PRELOAD", settings.allocation_counter.string());
    }
    sut_ = std::make_unique<SutProcess>(arm.spec, child, signals, settings.patience);
    if (options.count_syscalls) {
        syscall_counter_.emplace(sut_->child().pid());
    } else {
        hardware_counter_.emplace(sut_->child().pid());
        no_hardware_counter_ = hardware_counter_->reason();
    }
    sut_->release();
    sut_->describe(arm.spec.keys);
    find_process(settings);
    if (measured_pid_) facts_.rss_idle_bytes = read_memory(*measured_pid_).rss_bytes;
    address_ = sut_->set_up(
        {plan.workload.name, arm.spec.keys, options.seed, options.listen, plan.params});
    if (measured_pid_) facts_.rss_ready_bytes = read_memory(*measured_pid_).rss_bytes;
}

void Station::find_process(const Settings& settings) {
    measured_pid_ = sut_->child().pid();
    if (!settings.sut_prefix.empty()) {
        measured_pid_ = find_measured_process(*measured_pid_, settings.sut_prefix.front().c_str());
    }
    if (measured_pid_) counters_.emplace(*measured_pid_);
}

void Station::start_driver(const CasePlan& plan, const ReadyArm& arm, const Settings& settings,
                           const StationOptions& options, const StopSignals& signals) {
    ChildOptions child;
    child.command = with_prefix(settings.driver_prefix, settings.driver_program);
    child.cpu = options.placement == Placement::split ? settings.processors.driver
                                                      : settings.processors.sut;
    child.batch = wants_batch(options.placement);
    child.padding = options.padding;
    driver_ = std::make_unique<DriverProcess>(fmt::format("the driver of {}", arm.spec.id), child,
                                              signals, settings.patience);
    driver_->release();
    driver_->connect(plan.workload.name, address_, options.seed, plan.params,
                     sut_ ? &sut_->conversation() : nullptr);
}

SliceAnswer Station::work(const Work& work) {
    if (!driver_) return sut_->slice(work.operations, work.expected);
    return driver_->slice(placement_, work.driven, sut_ ? &sut_->conversation() : nullptr);
}

Station::Reading Station::read() {
    Reading reading;
    try {
        if (counters_) reading.external = counters_->read();
    } catch (const std::system_error&) {
        sut_->mark();  // the process is gone: asking it anything tells how it ended
        throw;
    }
    if (syscall_counter_) reading.syscalls = syscall_counter_->read();
    if (hardware_counter_) {
        reading.instructions = hardware_counter_->instructions();
        reading.cycles = hardware_counter_->cycles();
    }
    return reading;
}

SliceSample Station::measure(const Work& amount) {
    SliceSample sample;
    if (driver_) work(lead_in_of(amount));
    if (!sut_) {
        sample.answer = work(amount);
        return sample;
    }
    const Counters mark_before = sut_->mark();
    if (!ticks_before_ && measured_pid_) ticks_before_ = read_ticks(*measured_pid_);
    const Reading before = read();
    sample.answer = work(amount);
    const Reading after = read();
    sample.counters = growth(mark_before, sut_->mark());
    sample.syscalls = growth(before.syscalls, after.syscalls);
    sample.instructions = growth(before.instructions, after.instructions);
    sample.cycles = growth(before.cycles, after.cycles);
    if (before.external && after.external) {
        sample.cpu_ns = growth(before.external->cpu_ns, after.external->cpu_ns);
        sample.voluntary_switches =
            growth(before.external->voluntary_switches, after.external->voluntary_switches);
        sample.involuntary_switches =
            growth(before.external->involuntary_switches, after.external->involuntary_switches);
        sample.running_ns = growth(before.external->running_ns, after.external->running_ns);
        sample.waiting_ns = growth(before.external->waiting_ns, after.external->waiting_ns);
    } else {
        sample.self_reported = true;
        sample.cpu_ns = sample.counters["cpu_ns"];
        sample.voluntary_switches = sample.counters["voluntary_switches"];
        sample.involuntary_switches = sample.counters["involuntary_switches"];
    }
    sut_->child().trim_errors();
    return sample;
}

void Station::note_loaded() {
    if (measured_pid_) facts_.rss_loaded_bytes = read_memory(*measured_pid_).rss_bytes;
}

std::uint64_t Station::cpu_ns() const {
    return counters_ ? counters_->cpu_ns() : 0;
}

bool Station::asleep() const {
    return !counters_ || counters_->asleep();
}

std::optional<std::uint64_t> Station::syscalls() const {
    return syscall_counter_ ? syscall_counter_->read() : std::nullopt;
}

std::vector<std::string> Station::deviations() const {
    return sut_ ? sut_->deviations() : std::vector<std::string>{};
}

ProcessFacts Station::finish() {
    if (measured_pid_) {
        facts_.peak_rss_bytes = read_memory(*measured_pid_).peak_rss_bytes;
        const auto ticks = read_ticks(*measured_pid_);
        if (ticks_before_ && ticks) {
            facts_.user_ticks = ticks->user - ticks_before_->user;
            facts_.system_ticks = ticks->system - ticks_before_->system;
        }
    }
    if (driver_) driver_->quit();
    if (sut_) sut_->quit();
    return facts_;
}

}  // namespace loopbench
