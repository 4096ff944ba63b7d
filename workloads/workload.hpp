#pragma once

// A workload as the SUT's main loop sees it. The virtual calls are those of the control path: what
// is measured runs between them.

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "results/histogram.hpp"

namespace loopbench {

/// What the user asked for cannot be done; `what()` says what was tried and failed.
class WorkloadError : public std::runtime_error {
  public:
    WorkloadError(const std::string& what, std::string remedy)
        : std::runtime_error(what), remedy_(std::move(remedy)) {}

    /// What would help.
    const std::string& remedy() const noexcept { return remedy_; }

  private:
    std::string remedy_;
};

/// What a workload is made from.
struct WorkloadSetup {
    std::string listen;            ///< where socket workloads listen; empty for the others
    std::uint64_t seed = 1;        ///< of everything that is drawn at random
    const nlohmann::json& params;  ///< the case's parameters by name; used during construction only
};

/// What a workload has counted since it was made; see `mark` in docs/protocol.md.
struct WorkloadCounters {
    std::uint64_t operations = 0;
    std::uint64_t reads = 0;
    std::uint64_t bytes = 0;
    std::uint64_t task_switches = 0;
    std::uint64_t open_connections = 0;    ///< accepted and not closed
    std::uint64_t steady_connections = 0;  ///< of these, those that have carried data
};

/// What was done in a slice of an in-process workload.
struct SliceReport {
    std::uint64_t operations = 0;
    std::chrono::nanoseconds elapsed{0};  ///< wall time of the timed section
    std::vector<std::pair<std::string, double>> metrics;
    std::vector<std::pair<std::string, Histogram>> histograms;
};

/// Keeps the first thing that a workload found wrong with its own result.
class SelfCheck {
  public:
    void fail(std::string what) {
        if (!mistake_) mistake_ = std::move(what);
    }
    const std::optional<std::string>& mistake() const noexcept { return mistake_; }

  private:
    std::optional<std::string> mistake_;
};

/// One workload on one loop. Belongs to the loop's thread; every call is made while the loop does
/// not run, and those that need it run it themselves.
class Workload {
  public:
    virtual ~Workload() = default;

    /// Gets ready to work. Gives the address where a socket workload listens, and an empty string
    /// for the others. Throws `WorkloadError`.
    virtual std::string set_up() = 0;

    virtual WorkloadCounters counters() const = 0;

    /// Does `operations` operations (at least 1; rounded up to the workload's unit). Only for
    /// in-process workloads: the others throw `WorkloadError`, their slices are the driver's.
    virtual SliceReport slice(std::uint64_t operations) {
        static_cast<void>(operations);
        throw WorkloadError("a slice was asked of a workload that the driver drives",
                            "send the slice to the driver");
    }

    /// What was wrong with the work so far (bytes, counts, order), or nothing.
    virtual const std::optional<std::string>& mistake() const = 0;

    /// Gives everything back that needs the loop to run for that, such as connections. To be called
    /// once, last.
    virtual void shut_down() {}
};

}  // namespace loopbench
