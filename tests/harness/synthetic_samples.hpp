#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/measure.hpp"

namespace loopbench {

/// A plan of echo over 64 connections with arms of these names.
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
    slice.voluntary_switches = operations / 64;
    slice.involuntary_switches = 0;
    slice.waiting_ns = 0;
    slice.counters = {{"turns", operations / 64}, {"reads", operations}, {"allocations", {}}};
    return slice;
}

/// Blocks of one slice each, in which the arm's operations cost these nanoseconds and take twice as
/// long.
inline ArmSamples synthetic_arm(const std::vector<std::uint64_t>& cpu_ns_per_op) {
    ArmSamples arm;
    for (const std::uint64_t cpu_ns : cpu_ns_per_op) {
        arm.blocks.emplace_back().add(synthetic_slice(6400, cpu_ns, 2 * cpu_ns));
    }
    arm.syscalls = {2.5, "", 1000};
    arm.allocations.reason = "not counted";
    return arm;
}

}  // namespace loopbench
