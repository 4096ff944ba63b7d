#include "harness/figures.hpp"

#include <algorithm>

#include "harness/offered_rate.hpp"

namespace loopbench {
namespace {

using nlohmann::json;
using Value = std::optional<double>;

constexpr std::string_view no_cpu = "the processor time of this server is not ours to read";
constexpr std::string_view no_switches = "the kernel's switches of this process are not known";
constexpr std::string_view few_samples =
    "too few samples in a block: 10/(1-q) are needed; run longer slices";
constexpr std::string_view no_such_operation =
    "the mix holds no such operation, or this reference does not tell them apart";
constexpr std::string_view not_told = "the SUT does not tell it";
constexpr std::string_view no_schedule = "the slices were too short to say";
constexpr std::string_view no_memory = "the memory of this process is not ours to read";
constexpr std::string_view no_hardware =
    "this machine has no hardware counters (virtual machines seldom do)";

bool always(const WorkloadInfo&) {
    return true;
}
bool on_sockets(const WorkloadInfo& workload) {
    return workload.sockets;
}
bool on_timers(const WorkloadInfo& workload) {
    return workload.name == "timers";
}
bool on_tasks(const WorkloadInfo& workload) {
    return workload.main_metric == "cpu_ns_per_switch";
}

template <const char* name>
bool on(const WorkloadInfo& workload) {
    return workload.name == name;
}
constexpr char cooperative[] = "cooperative";
constexpr char cancel[] = "cancel";
constexpr char timeout[] = "timeout";

Value ratio(const Value& numerator, const Value& denominator) {
    if (!numerator || !denominator || *denominator <= 0) return std::nullopt;
    return *numerator / *denominator;
}

Value per_operation(const Value& amount, const BlockTotals& totals) {
    return ratio(amount, totals.operations);
}

Value per_second(const Value& amount, const BlockTotals& totals) {
    return ratio(amount ? Value(*amount * 1e9) : amount, totals.elapsed_ns);
}

Value reported(const BlockTotals& totals, const std::string& metric) {
    const auto found = totals.metrics.find(metric);
    return found == totals.metrics.end() ? Value() : found->second;
}

Value life_of_a_timer(const BlockTotals& totals, const json&) {
    const Value started = reported(totals, "cpu_ns_per_start");
    const Value cancelled = reported(totals, "cpu_ns_per_cancel");
    const Value expired = reported(totals, "cpu_ns_per_expire");
    if (!started || !cancelled || !expired) return std::nullopt;
    return *started + *cancelled + *expired;
}

/// Of an amount that grows with the operations. In an open loop the elapsed time has, beyond the
/// schedule, the wait for the last answers: the driver counts what is completed without it.
Value completed_per_second(double amount, const BlockTotals& totals) {
    const Value achieved = reported(totals, "achieved_rate");
    if (!achieved) return per_second(amount, totals);
    return ratio(amount * *achieved, totals.operations);
}

const Histogram* histogram(const BlockTotals& totals, const char* name) {
    const auto found = totals.histograms->find(name);
    const bool there = found != totals.histograms->end() && found->second.count() > 0;
    return there ? &found->second : nullptr;
}

/// A percentile, given in thousandths so that it can be a template argument.
template <int thousandths>
Value percentile(const BlockTotals& totals, const char* name) {
    const Histogram* values = histogram(totals, name);
    return values == nullptr ? Value() : values->percentile(thousandths / 1000.0);
}

template <int thousandths>
Value latency(const BlockTotals& totals, const json&) {
    return percentile<thousandths>(totals, "latency");
}

template <int thousandths>
Value send_lag(const BlockTotals& totals, const json&) {
    return percentile<thousandths>(totals, "send_lag");
}

template <int thousandths>
Value lateness(const BlockTotals& totals, const json&) {
    return percentile<thousandths>(totals, "lateness");
}

Value largest(const BlockTotals& totals, const char* name) {
    const Histogram* values = histogram(totals, name);
    return values == nullptr ? Value() : static_cast<double>(values->max());
}

Value memory_growth(const std::optional<std::uint64_t>& before, const BlockTotals& totals,
                    double parts) {
    if (!before || !totals.facts.rss_loaded_bytes) return std::nullopt;
    return (static_cast<double>(*totals.facts.rss_loaded_bytes) - static_cast<double>(*before)) /
           parts;
}

std::vector<Figure> make_figures() {
    using B = const BlockTotals&;
    using J = const json&;
    return {
        {"cpu_ns_per_op", always, [](B t, J) { return per_operation(t.cpu_ns, t); }, no_cpu, false,
         false, true},
        {"throughput", always, [](B t, J) { return completed_per_second(t.operations, t); },
         "nothing was completed", true, false, true},
        {"offered_rate", on_sockets, [](B t, J) { return reported(t, "offered_rate"); },
         no_schedule, true, true},
        {"achieved_rate", on_sockets, [](B t, J) { return reported(t, "achieved_rate"); },
         no_schedule, true, true},
        {"achieved_share", on_sockets, [](B t, J) { return reported(t, "achieved_share"); },
         no_schedule, true, true},
        {"bytes_per_second", on_sockets, [](B t, J) { return completed_per_second(t.bytes, t); },
         "nothing was completed", true, false, true},
        {"latency_p50", on_sockets, latency<500>, few_samples, true},
        {"latency_p90", on_sockets, latency<900>, few_samples, true},
        {"latency_p99", on_sockets, latency<990>, few_samples, true},
        {"latency_p999", on_sockets, latency<999>, few_samples, true},
        {"latency_max", on_sockets, [](B t, J) { return largest(t, "latency"); }, few_samples,
         true},
        {"send_lag_p50", on_sockets, send_lag<500>, few_samples, true, true},
        {"send_lag_p99", on_sockets, send_lag<990>, few_samples, true, true},
        {"send_lag_max", on_sockets, [](B t, J) { return largest(t, "send_lag"); }, few_samples,
         true, true},
        {"cpu_ns_per_start", on_timers, [](B t, J) { return reported(t, "cpu_ns_per_start"); },
         no_such_operation, false, false, true, true},
        {"cpu_ns_per_cancel", on_timers, [](B t, J) { return reported(t, "cpu_ns_per_cancel"); },
         no_such_operation, false, false, true, true},
        {"cpu_ns_per_expire", on_timers, [](B t, J) { return reported(t, "cpu_ns_per_expire"); },
         no_such_operation, false, false, true, true},
        {"cpu_ns_per_timer", on_timers, life_of_a_timer, no_such_operation, false, false, true,
         true},
        {"lateness_p50", on_timers, lateness<500>, few_samples},
        {"lateness_p90", on_timers, lateness<900>, few_samples},
        {"lateness_p99", on_timers, lateness<990>, few_samples},
        {"lateness_max", on_timers, [](B t, J) { return largest(t, "lateness"); }, few_samples},
        {"cpu_ns_per_switch", on_tasks, [](B t, J) { return per_operation(t.cpu_ns, t); }, no_cpu,
         false, false, true},
        {"task_switches_per_second", on_tasks,
         [](B t, J) {
             const Value switches = t.counted_per_operation("task_switches");
             return switches ? per_second(*switches * t.operations, t) : Value();
         },
         "the SUT does not count its task switches"},
        {"timer_delay_per_spin", on<cooperative>,
         [](B t, J) { return reported(t, "timer_delay_per_spin"); }, not_told},
        {"echo_delay_per_spin", on<cooperative>,
         [](B t, J) { return reported(t, "echo_delay_per_spin"); }, not_told},
        {"turns_to_cancel", on<cancel>, [](B t, J) { return reported(t, "turns_to_cancel"); },
         not_told},
        {"next_turn_share", on<cancel>, [](B t, J) { return reported(t, "next_turn_share"); },
         not_told},
        {"cancelled_first_share", on<timeout>,
         [](B t, J) { return reported(t, "cancelled_first_share"); },
         "only waits that expire have it"},
        {"voluntary_switches_per_op", always,
         [](B t, J) { return t.per_operation(t.counts.voluntary_switches); }, no_switches},
        {"involuntary_switches_per_op", always,
         [](B t, J) { return t.per_operation(t.counts.involuntary_switches); }, no_switches},
        {"ops_per_turn", always, [](B t, J) { return ratio(1, t.counted_per_operation("turns")); },
         "the SUT does not count its turns, or took none"},
        {"messages_per_read", on_sockets,
         [](B t, J) { return ratio(1, t.counted_per_operation("reads")); },
         "the SUT does not count its reads"},
        {"sut_busy", always, [](B t, J) { return ratio(t.cpu_ns, t.elapsed_ns); }, no_cpu},
        {"peak_rss_bytes", always,
         [](B t, J) {
             const auto& bytes = t.facts.peak_rss_bytes;
             return bytes ? Value(static_cast<double>(*bytes)) : Value();
         },
         no_memory},
        {"rss_per_connection_bytes", on_sockets,
         [](B t, J p) {
             return memory_growth(t.facts.rss_ready_bytes, t, p.at("connections").get<double>());
         },
         no_memory},
        {"rss_per_timer_bytes", on_timers,
         [](B t, J p) {
             return memory_growth(t.facts.rss_idle_bytes, t, p.at("pending").get<double>());
         },
         no_memory},
        {"instructions_per_op", always, [](B t, J) { return per_operation(t.instructions, t); },
         no_hardware},
        {"cycles_per_op", always, [](B t, J) { return per_operation(t.cycles, t); }, no_hardware},
    };
}

}  // namespace

bool Figure::belongs_to(const WorkloadInfo& of, const json& params) const {
    return applies(of) && (!of_schedule || is_open_loop(params));
}

const std::vector<Figure>& block_figures() {
    static const std::vector<Figure> figures = make_figures();
    return figures;
}

const Figure& syscalls_by_block() {
    static const Figure figure{
        "syscalls_per_op", always,
        [](const BlockTotals& totals, const json&) { return totals.syscalls_per_operation; },
        "system calls cannot be counted here"};
    return figure;
}

const Figure* find_figure(std::string_view metric) {
    if (metric == syscalls_by_block().metric) return &syscalls_by_block();
    const auto& all = block_figures();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Figure& figure) { return figure.metric == metric; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace loopbench
