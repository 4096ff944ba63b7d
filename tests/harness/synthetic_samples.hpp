#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/measure.hpp"

namespace loopbench {

/// A plan of echo over 64 connections with arms of these names; the second is the reference.
inline CasePlan synthetic_plan(const std::vector<std::string>& arms) {
    CasePlan plan;
    plan.workload = find_workload("--workload", "echo");
    plan.params = resolve_parameters(plan.workload, {});
    plan.placements = {Placement::lockstep};
    for (const std::string& name : arms) {
        ReadyArm arm;
        arm.spec.id = arm.spec.name = name;
        arm.program = "/nowhere/" + name;
        arm.description = {{"name", name}, {"version", "1"}};
        plan.arms.push_back(std::move(arm));
    }
    if (arms.size() > 1) plan.reference = 1;
    return plan;
}

/// A slice of `operations` in rounds of 64, with this much CPU time and wall time each.
inline SliceSample synthetic_slice(std::uint64_t operations, std::uint64_t cpu_ns_per_op,
                                   std::uint64_t elapsed_ns_per_op) {
    SliceSample slice;
    slice.answer.operations = operations;
    slice.answer.elapsed_ns = operations * elapsed_ns_per_op;
    slice.answer.bytes = operations * 64;
    slice.answer.rounds = operations / 64;
    slice.answer.driver_cpu_ns = operations * (elapsed_ns_per_op - cpu_ns_per_op);
    slice.answer.idle_connections = 0;
    slice.cpu_ns = operations * cpu_ns_per_op;
    return slice;
}

/// What is counted over a block of `operations` in whole rounds of 64, when all goes well.
inline StretchCounts synthetic_counts(std::uint64_t operations) {
    StretchCounts counts;
    counts.operations = operations;
    counts.rounds = operations / 64;
    counts.voluntary_switches = operations / 64;
    counts.involuntary_switches = 0;
    counts.running_ns = operations * 100;
    counts.waiting_ns = 0;
    counts.counters = {{"turns", operations / 64}, {"reads", operations}, {"allocations", {}}};
    return counts;
}

/// A block of that one slice.
inline BlockSamples synthetic_block(SliceSample slice) {
    BlockSamples block;
    block.counts = synthetic_counts(slice.answer.operations);
    block.add(std::move(slice));
    return block;
}

/// Blocks of one slice each, in which the arm's operations cost these nanoseconds and take twice as
/// long.
inline ArmSamples synthetic_arm(const std::vector<std::uint64_t>& cpu_ns_per_op) {
    ArmSamples arm;
    for (const std::uint64_t cpu_ns : cpu_ns_per_op) {
        arm.blocks.push_back(synthetic_block(synthetic_slice(6400, cpu_ns, 2 * cpu_ns)));
    }
    arm.syscalls = {2.5, "", 1000};
    arm.allocations.reason = "not counted";
    return arm;
}

}  // namespace loopbench
