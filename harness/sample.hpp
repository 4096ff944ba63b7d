#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/sut_process.hpp"
#include "results/histogram.hpp"

namespace loopbench {

/// What one timed slice of one arm gave: the answer to `slice`, and how much every counter grew
/// over it that costs no more to read than a system call. Raw: nothing is left out for its value.
struct SliceSample {
    int block = 0;
    int slice = 0;  ///< its place in the block, over all arms
    SliceAnswer answer;
    std::optional<std::uint64_t> cpu_ns;  ///< of the SUT; nothing for a foreign server
    bool self_reported = false;           ///< `cpu_ns` comes from the SUT itself
    std::optional<std::uint64_t> syscalls;
    std::optional<std::uint64_t> instructions;
    std::optional<std::uint64_t> cycles;
    std::uint64_t idle_arms_cpu_ns = 0;  ///< what arms that were meant to sleep used meanwhile
    std::string invalid;  ///< why it does not count, for a cause outside the arm; empty if it does
};

/// What one arm did over a longer stretch, such as its part of a block, by counters that are too
/// dear to be read around each slice.
struct StretchCounts {
    std::uint64_t operations = 0;  ///< all of the stretch, those that were not timed included
    std::uint64_t rounds = 0;      ///< likewise, where there are any
    std::optional<std::uint64_t> voluntary_switches;
    std::optional<std::uint64_t> involuntary_switches;
    std::optional<std::uint64_t> running_ns;  ///< CPU time by schedstat
    std::optional<std::uint64_t> waiting_ns;  ///< runnable without a processor
    Counters counters;                        ///< growth of those that `mark` tells
};

/// The slice as the result file and the slice log keep it; histograms only for the log.
nlohmann::json to_json(const SliceSample& sample, bool with_histograms);

/// The counts of a block as the result file and the slice log keep them.
nlohmann::json to_json(const StretchCounts& counts);

/// What is known of an arm's process over its whole life in a block.
struct ProcessFacts {
    std::optional<std::uint64_t> peak_rss_bytes;
    std::optional<std::uint64_t> rss_idle_bytes;    ///< before `setup`
    std::optional<std::uint64_t> rss_ready_bytes;   ///< after `setup`
    std::optional<std::uint64_t> rss_loaded_bytes;  ///< with all connections, after warming up
    std::optional<std::uint64_t> user_ticks;        ///< over all its slices
    std::optional<std::uint64_t> system_ticks;
};

/// One arm in one block.
struct BlockSamples {
    std::size_t planned = 1;  ///< slices that it is to have
    std::vector<SliceSample> slices;
    std::map<std::string, Histogram> histograms;  ///< merged over the valid slices
    StretchCounts counts;  ///< over all slices; with no operations when the block was cut short
    std::optional<double> syscalls_per_operation;  ///< where each block counts them, apart
    ProcessFacts facts;

    /// Takes a slice in; of its histograms only the merged ones are kept.
    void add(SliceSample sample);
    /// Whether it has all its slices.
    bool whole() const noexcept { return slices.size() == planned; }
};

/// Something that is counted in a process of its own: a figure per operation, or why there is none.
struct CountedApart {
    std::optional<double> per_operation;
    std::string reason;
    std::optional<std::uint64_t> total;  ///< since the process was started
};

/// Everything measured of one arm in one placement.
struct ArmSamples {
    std::vector<BlockSamples> blocks;
    CountedApart syscalls;
    CountedApart allocations;
    std::string no_hardware_counters;  ///< why there are none, or empty
    std::vector<std::string> deviations;
    std::string failure;  ///< how the arm broke off, after which it was left out; usually empty
};

}  // namespace loopbench
