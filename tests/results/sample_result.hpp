#pragma once

#include "results/result.hpp"

namespace loopbench {

/// A result file with something in every member, as a run with a reference would write it.
inline ResultFile sample_result() {
    ResultFile result;
    result.created = "2026-03-01T12:34:56Z";
    result.loopbench = {"0.1.0", "abc123", "GCC 12.2.0", "-O2 -g"};
    result.environment = {{"cpu", "a processor"}, {"kernel", "6.1"}, {"virtual", true}};
    result.plan = {.seed = (std::uint64_t{1} << 53) - 1,
                   .blocks = 8,
                   .slices = 8,
                   .slice_ms = 30,
                   .cpus = {1, 0},
                   .further = {{"budget_s", 30}}};
    result.arms = {{"uv", {{"name", "uv"}, {"protocol", 1}}}, {"bare", {{"name", "bare"}}}};

    MetricValue cpu = make_metric_value(*find_metric("cpu_ns_per_op"));
    cpu.median = 5123.5;
    cpu.ci95 = Interval{5060, 5190};
    cpu.n = 8;
    MetricValue throughput = make_metric_value(*find_metric("throughput"));
    throughput.median = 195'000;
    throughput.n = 3;
    throughput.reason = "3 blocks; a 95% interval needs 6";

    Case one;
    one.workload = "echo";
    one.params = {{"connections", 64}, {"transport", "unix"}};
    one.placement = "lockstep";
    one.arm = "uv";
    one.metrics = {{"cpu_ns_per_op", cpu},
                   {"throughput", throughput},
                   {"latency_p999", missing_metric_value(*find_metric("latency_p999"),
                                                         "9000 samples; 10000 are needed")}};
    one.samples = {{{"block", 0}, {"slice", 0}, {"operations", 6400}, {"valid", true}}};
    result.cases = {one};

    Comparison comparison;
    comparison.workload = "echo";
    comparison.params = one.params;
    comparison.placement = "lockstep";
    comparison.metric = "cpu_ns_per_op";
    comparison.arm = "uv";
    comparison.reference = "bare";
    comparison.ratio = 1.15;
    comparison.ci95 = Interval{1.13, 1.17};
    comparison.n = 8;
    comparison.verdict = "slower";
    result.comparisons = {comparison};
    result.warnings = {{Grade::note, "governor", "no frequency governor is visible", "",
                        std::nullopt, std::nullopt},
                       {Grade::voids, "driver-saturated", "the driver was 99% busy",
                        "use a slower rate", "throughput", "echo on uv"}};
    result.complete = true;
    return result;
}

}  // namespace loopbench
