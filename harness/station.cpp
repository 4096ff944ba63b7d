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

/// How long work is untimed before a slice. In lockstep a round of all connections does it; in
/// split placement the two processors have to find their pace.
constexpr std::chrono::nanoseconds lead_in_of(Placement placement) {
    return placement == Placement::split ? std::chrono::milliseconds(2)
                                         : std::chrono::milliseconds(0);
}

/// SUT and driver in lockstep take turns on one processor: there, waking one up must not pre-empt
/// the other. On processors of their own SCHED_BATCH would change nothing but the latency.
bool wants_batch(Placement placement) {
    return placement != Placement::split;
}

std::uint64_t read_clock(clockid_t clock) {
    timespec now{};
    if (clock_gettime(clock, &now) != 0) return 0;
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// CPU time of this process, all threads.
std::uint64_t own_cpu_ns() {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/// CPU time of another process; 0 when it is gone.
std::uint64_t clock_of(pid_t pid) {
    clockid_t clock{};
    return clock_getcpuclockid(pid, &clock) == 0 ? read_clock(clock) : 0;
}

}  // namespace

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
    child.environment.emplace_back("LOOPBENCH_ARM", arm.spec.id);
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
    child.environment.emplace_back("LOOPBENCH_ARM", arm.spec.id);
    driver_ = std::make_unique<DriverProcess>(fmt::format("the driver of {}", arm.spec.id), child,
                                              signals, settings.patience);
    driver_->release();
    driver_->connect(plan.workload.name, address_, options.seed, plan.params,
                     sut_ ? &sut_->conversation() : nullptr);
}

SliceAnswer Station::work(const Work& work) {
    SliceAnswer answer =
        driver_ ? driver_->slice(placement_, work.driven, sut_ ? &sut_->conversation() : nullptr)
                : sut_->slice(work.operations, work.expected);
    stretch_.operations += answer.operations;
    stretch_.rounds += answer.rounds.value_or(0);
    return answer;
}

void Station::lead_in(const Work& work) {
    if (!driver_) return;
    Work before = work;
    if (before.driven.rounds > 0) {
        before.driven.rounds = std::max<std::uint64_t>(1, before.driven.rounds / 10);
    } else {
        before.driven.min_time = lead_in_of(placement_);
        before.driven.min_operations_per_connection = 1;
    }
    this->work(before);
}

SliceSample Station::timed(const Work& amount, PairDisturbanceReader* watch) {
    // What runs elsewhere cannot be told from other programs.
    if (!counters_) watch = nullptr;
    SliceSample sample;
    const std::uint64_t harness = own_cpu_ns();
    // What it takes to read a request and to answer it is in no slice, and is ours all the same.
    const std::uint64_t driver = watch != nullptr && driver_ ? clock_of(driver_->child().pid()) : 0;
    const PairDisturbance before = watch != nullptr ? watch->read() : PairDisturbance();
    const auto syscalls = this->syscalls();
    std::optional<std::uint64_t> instructions;
    std::optional<std::uint64_t> cycles;
    if (hardware_counter_) {
        instructions = hardware_counter_->instructions();
        cycles = hardware_counter_->cycles();
    }
    const std::optional<std::uint64_t> cpu = outer_cpu_ns();
    sample.answer = work(amount);
    sample.cpu_ns = growth(cpu, outer_cpu_ns());
    sample.syscalls = growth(syscalls, this->syscalls());
    if (hardware_counter_) {
        sample.instructions = growth(instructions, hardware_counter_->instructions());
        sample.cycles = growth(cycles, hardware_counter_->cycles());
    }
    if (watch != nullptr) {
        const PairDisturbance after = watch->read();
        const std::uint64_t driven = driver_ ? clock_of(driver_->child().pid()) - driver : 0;
        const OwnUse own{sample.cpu_ns.value_or(0), driven, own_cpu_ns() - harness};
        sample.invalid = cause(before, after, own, sample.answer.elapsed_ns);
    }
    // A guest's kernel takes stolen time off the clocks of whoever runs next (update_rq_clock_task
    // in kernel/sched/core.c), and it may have been stolen while the processor was idle.
    if (sample.cpu_ns == 0U && sample.answer.operations > 0 && sample.invalid.empty()) {
        sample.invalid = "the clock of the process stood still: stolen time was taken off it";
    }
    return sample;
}

SliceSample Station::slice(const Work& amount, PairDisturbanceReader* watch) {
    lead_in(amount);
    if (!sut_ || counters_) return timed(amount, watch);
    // Its process is not here to be seen: it says itself what it used.
    const Counters before = sut_->mark();
    SliceSample sample = timed(amount, nullptr);
    sample.cpu_ns = growth(before, sut_->mark())["cpu_ns"];
    sample.self_reported = true;
    return sample;
}

void Station::begin_counting() {
    stretch_ = {};
    if (!sut_) return;
    stretch_.counters = sut_->mark();
    if (!ticks_before_ && measured_pid_) ticks_before_ = read_ticks(*measured_pid_);
    external_before_ = read_external();
}

StretchCounts Station::end_counting() {
    if (!sut_) return stretch_;
    const std::optional<ExternalCounters> external = read_external();
    StretchCounts counts = stretch_;
    counts.counters = growth(stretch_.counters, sut_->mark());
    if (external && external_before_) {
        const ExternalCounters& before = *external_before_;
        counts.voluntary_switches = growth(before.voluntary_switches, external->voluntary_switches);
        counts.involuntary_switches =
            growth(before.involuntary_switches, external->involuntary_switches);
        counts.running_ns = growth(before.running_ns, external->running_ns);
        counts.waiting_ns = growth(before.waiting_ns, external->waiting_ns);
    } else {
        counts.voluntary_switches = counts.counters["voluntary_switches"];
        counts.involuntary_switches = counts.counters["involuntary_switches"];
    }
    sut_->child().trim_errors();
    return counts;
}

CountedSlice Station::count(const Work& work) {
    lead_in(work);
    begin_counting();
    CountedSlice counted;
    counted.slice = timed(work, nullptr);
    counted.counts = end_counting();
    if (sut_ && !counters_) {
        counted.slice.cpu_ns = counted.counts.counters["cpu_ns"];
        counted.slice.self_reported = true;
    }
    return counted;
}

void Station::note_loaded() {
    if (measured_pid_) facts_.rss_loaded_bytes = read_memory(*measured_pid_).rss_bytes;
}

template <class Read>
auto Station::or_say_how_it_ended(const Read& read) {
    try {
        return read();
    } catch (const std::system_error&) {
        sut_->mark();  // the process is gone: asking it anything tells how it ended
        throw;
    }
}

std::optional<std::uint64_t> Station::outer_cpu_ns() {
    return or_say_how_it_ended([&]() -> std::optional<std::uint64_t> {
        return counters_ ? std::optional(counters_->cpu_ns()) : std::nullopt;
    });
}

std::optional<ExternalCounters> Station::read_external() {
    return or_say_how_it_ended([&]() -> std::optional<ExternalCounters> {
        return counters_ ? std::optional(counters_->read()) : std::nullopt;
    });
}

std::uint64_t Station::cpu_ns() const {
    try {
        return counters_ ? counters_->cpu_ns() : 0;
    } catch (const std::system_error&) {
        return 0;  // it has ended meanwhile, which its own next step will tell
    }
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
