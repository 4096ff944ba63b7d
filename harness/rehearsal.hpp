#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "harness/crew.hpp"

namespace loopbench {

/// Finds out, with each arm in a process of its own, how much work fills a slice and what a block
/// costs, and counts what would disturb if it were counted while measuring.
class Rehearsal {
  public:
    /// `crew` lives longer than the rehearsal.
    explicit Rehearsal(Crew& crew);

    /// Rehearses all arms in the first of the plan's placements. Throws OutOfArms, Interrupted.
    void run();

    /// A slice of a placement: as long as the settings say, or as the slowest arm needs for the
    /// least work that a slice can hold.
    std::chrono::nanoseconds slice(Placement placement) const;
    /// What each arm does in such a slice.
    std::vector<Work> work(Placement placement) const;
    /// A block of such slices.
    BlockCost cost(Placement placement) const;
    /// What was counted apart, by arm; no blocks.
    const std::vector<ArmSamples>& counted() const noexcept { return counted_; }

  private:
    void rehearse(std::size_t arm);
    void calibrate(std::size_t arm, Station& station);
    void fill_slice(std::size_t arm, Station& station);
    void count_allocations(std::size_t arm);

    Crew& crew_;
    Placement placement_;
    std::chrono::nanoseconds wanted_;       ///< length of a slice where it is rehearsed
    std::chrono::nanoseconds longest_{0};   ///< the least slice of the slowest arm, in process
    std::vector<double> ns_per_operation_;  ///< by arm
    std::chrono::nanoseconds overhead_{0};  ///< of a slice beyond its length, the dearest arm
    std::chrono::nanoseconds fixed_{0};     ///< starting and ending, all arms together
    std::vector<ArmSamples> counted_;
};

/// What `count` finds for each operation of `work`, exactly, once the station is warm. Work inside
/// the process has costs a slice, whatever its length (the messages, the report): they cancel out
/// against a slice twice as long. Nothing when it cannot be counted.
std::optional<double> count_per_operation(
    Station& station, const Work& work,
    const std::function<std::optional<std::uint64_t>(const CountedSlice&)>& count);

/// System calls of a counted slice.
std::optional<std::uint64_t> syscalls_of(const CountedSlice& slice);

}  // namespace loopbench
