#include "results/metrics.hpp"

#include <algorithm>
#include <array>

namespace loopbench {
namespace {

constexpr auto lower = Better::lower;
constexpr auto higher = Better::higher;

constexpr std::array definitions = {
    MetricDefinition{"cpu_ns_per_op", "ns", lower, "CPU per operation",
                     "CPU time of all threads of the process under test, kernel workers included"},
    MetricDefinition{"user_ns_per_op", "ns", lower, "CPU per operation, user",
                     "its share in user mode, from totals of a second or more"},
    MetricDefinition{"system_ns_per_op", "ns", lower, "CPU per operation, system",
                     "its share in the kernel, from totals of a second or more"},
    MetricDefinition{"throughput", "op/s", higher, "throughput", "operations completed a second"},
    MetricDefinition{"offered_rate", "op/s", higher, "offered rate",
                     "operations a second by the schedule of an open loop"},
    MetricDefinition{"achieved_rate", "op/s", higher, "achieved rate",
                     "operations a second completed while the schedule ran"},
    MetricDefinition{"achieved_share", "1", higher, "achieved share",
                     "achieved over offered rate: 1 when the open loop kept up"},
    MetricDefinition{"bytes_per_second", "B/s", higher, "bytes per second",
                     "payload through the process under test, one direction"},
    MetricDefinition{"latency_p50", "ns", lower, "latency p50", "median time of a round trip"},
    MetricDefinition{"latency_p90", "ns", lower, "latency p90", "90th percentile of a round trip"},
    MetricDefinition{"latency_p99", "ns", lower, "latency p99", "99th percentile of a round trip"},
    MetricDefinition{"latency_p999", "ns", lower, "latency p99.9",
                     "99.9th percentile of a round trip"},
    MetricDefinition{"latency_max", "ns", lower, "latency max", "the slowest round trip"},
    MetricDefinition{"send_lag_p50", "ns", lower, "send lag p50",
                     "median time by which the driver sent later than scheduled"},
    MetricDefinition{"send_lag_p99", "ns", lower, "send lag p99",
                     "99th percentile of the driver's delay behind the schedule"},
    MetricDefinition{"send_lag_max", "ns", lower, "send lag max",
                     "the driver's longest delay behind the schedule"},
    MetricDefinition{"cpu_ns_per_start", "ns", lower, "CPU per timer start",
                     "CPU time to start a timer"},
    MetricDefinition{"cpu_ns_per_cancel", "ns", lower, "CPU per timer cancel",
                     "CPU time to cancel a pending timer"},
    MetricDefinition{"cpu_ns_per_expire", "ns", lower, "CPU per timer expiry",
                     "CPU time to expire a due timer and run its callback"},
    MetricDefinition{"cpu_ns_per_timer", "ns", lower, "CPU per timer",
                     "CPU time to start, to cancel and to expire a timer, added up"},
    MetricDefinition{"lateness_p50", "ns", lower, "lateness p50",
                     "median time from a timer's deadline to its callback"},
    MetricDefinition{"lateness_p90", "ns", lower, "lateness p90",
                     "90th percentile of the time from deadline to callback"},
    MetricDefinition{"lateness_p99", "ns", lower, "lateness p99",
                     "99th percentile of the time from deadline to callback"},
    MetricDefinition{"lateness_max", "ns", lower, "lateness max", "the latest timer"},
    MetricDefinition{"cpu_ns_per_switch", "ns", lower, "CPU per task switch",
                     "CPU time to hand over from one task to the next"},
    MetricDefinition{"task_switches_per_second", "1/s", higher, "task switches",
                     "switches from task to task inside the loop a second"},
    MetricDefinition{"timer_delay_per_spin", "1", lower, "timer delay per spin",
                     "time until a timer ran that was due after a tenth of the spin, in spins"},
    MetricDefinition{"echo_delay_per_spin", "1", lower, "echo delay per spin",
                     "time until a byte was echoed that came when the spin began, in spins"},
    MetricDefinition{"turns_to_cancel", "1", lower, "turns to cancel",
                     "turns of the loop from a task's cancel to its delivery"},
    MetricDefinition{"next_turn_share", "1", higher, "cancelled in the next turn",
                     "share of cancels that were delivered in the very next turn"},
    MetricDefinition{"cancelled_first_share", "1", higher, "cancelled before timed out",
                     "share of timeouts whose inner task saw its cancel before the outer one"},
    MetricDefinition{"voluntary_switches_per_op", "1/op", lower, "voluntary switches",
                     "context switches by the kernel because the process waited"},
    MetricDefinition{"involuntary_switches_per_op", "1/op", lower, "involuntary switches",
                     "context switches by the kernel because it took the processor away"},
    MetricDefinition{"syscalls_per_op", "1/op", lower, "system calls",
                     "system calls entered, counted in processes of their own"},
    MetricDefinition{"allocations_per_op", "1/op", lower, "allocations",
                     "calls of the memory allocator, counted in processes of their own"},
    MetricDefinition{"ops_per_turn", "op", higher, "operations per turn",
                     "operations found by one poll of the kernel: the batch"},
    MetricDefinition{"messages_per_read", "1", higher, "messages per read",
                     "messages that one delivery of data held"},
    MetricDefinition{"sut_busy", "1", higher, "busy", "CPU time over wall time, 1 is saturated"},
    MetricDefinition{"peak_rss_bytes", "B", lower, "peak memory",
                     "largest resident set of the process under test"},
    MetricDefinition{"rss_per_connection_bytes", "B", lower, "memory per connection",
                     "growth of the resident set for each connection"},
    MetricDefinition{"rss_per_timer_bytes", "B", lower, "memory per timer",
                     "growth of the resident set for each pending timer"},
    MetricDefinition{"instructions_per_op", "1/op", lower, "instructions",
                     "instructions retired, where there are hardware counters"},
    MetricDefinition{"cycles_per_op", "1/op", lower, "cycles",
                     "processor cycles, where there are hardware counters"},
};

}  // namespace

std::string_view to_string(Better better) {
    return better == Better::lower ? "lower" : "higher";
}

std::span<const MetricDefinition> metric_definitions() {
    return definitions;
}

const MetricDefinition* find_metric(std::string_view name) {
    const auto found = std::find_if(definitions.begin(), definitions.end(),
                                    [&](const auto& metric) { return metric.name == name; });
    return found == definitions.end() ? nullptr : &*found;
}

}  // namespace loopbench
