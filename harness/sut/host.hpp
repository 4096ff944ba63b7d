#pragma once

#include <concepts>

#include "loops/contract.hpp"
#include "loops/description.hpp"

namespace loopbench {

/// What the main loop of a SUT needs of what it hosts: all that a loop and a reference have in
/// common. A loop satisfies it by keeping the contract (loops/contract.hpp); a reference, which
/// does not, brings just this and workloads of its own, by specializing `workload_list`
/// (workloads/registry.hpp).
///
/// `run` returns after `stop`, which the function of a `Readiness` may call, and can be called
/// again. Input that is there when it is called counts: readiness is told level-triggered.
template <class H>
concept SutHost = std::constructible_from<H, const LoopOptions&> && !std::movable<H> &&
                  LoopReadiness<typename H::Readiness, H> && requires(H host, const H& constant) {
    { H::availability() } -> std::same_as<Availability>;
    { H::describe() } -> std::same_as<LoopDescription>;
    host.run();
    host.stop();
    { constant.counters() } -> std::same_as<LoopCounters>;
};

/// Whether what is hosted is measured as a loop or beside the loops.
template <SutHost Host>
inline constexpr const char* kind_of = EventLoop<Host> ? "loop" : "reference";

}  // namespace loopbench
