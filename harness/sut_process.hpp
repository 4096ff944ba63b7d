#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/arm.hpp"
#include "harness/conversation.hpp"
#include "results/histogram.hpp"

namespace loopbench {

/// How long processes may take to answer.
struct Patience {
    std::chrono::milliseconds answer{10'000};  ///< describe, setup, connect, mark
    std::chrono::milliseconds slice{30'000};   ///< a slice, beyond what it is meant to take
};

/// What `mark` tells. What a SUT cannot count is absent.
using Counters = std::map<std::string, std::optional<std::uint64_t>>;

/// What a slice did, as the SUT (in-process workloads) or the driver (sockets) tells it.
struct SliceAnswer {
    std::uint64_t operations = 0;
    std::uint64_t elapsed_ns = 0;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> rounds;
    std::optional<std::uint64_t> driver_cpu_ns;
    std::optional<std::uint64_t> idle_connections;
    std::map<std::string, double> metrics;
    std::map<std::string, Histogram> histograms;
};

/// The answer `done`, read. Throws std::invalid_argument for a histogram of another geometry.
SliceAnswer read_slice_answer(const nlohmann::json& done);

/// What a SUT prepares for.
struct Setup {
    std::string workload;
    std::map<std::string, std::string> keys;
    std::uint64_t seed = 1;
    std::string listen;  ///< where to listen; empty for in-process workloads
    nlohmann::json params;
};

/// A system under test: the requests of docs/protocol.md, typed. Errors as in Conversation.
class SutProcess {
  public:
    /// Starts the process, which waits for `release`.
    SutProcess(const ArmSpec& arm, const ChildOptions& options, const StopSignals& signals,
               const Patience& patience);

    void release() { conversation_.release(); }
    nlohmann::json describe(const std::map<std::string, std::string>& keys);
    /// Gives the address on which it listens, empty for in-process workloads, and fills
    /// `deviations`.
    std::string set_up(const Setup& setup);
    /// Runs `operations` operations of an in-process workload, which are meant to take `expected`.
    SliceAnswer slice(std::uint64_t operations, std::chrono::nanoseconds expected);
    Counters mark();
    void quit() { conversation_.quit(); }

    /// Parameters that it said it could not apply.
    const std::vector<std::string>& deviations() const noexcept { return deviations_; }
    Conversation& conversation() noexcept { return conversation_; }
    Child& child() noexcept { return conversation_.child(); }

  private:
    Conversation conversation_;
    Patience patience_;
    std::vector<std::string> deviations_;
};

}  // namespace loopbench
