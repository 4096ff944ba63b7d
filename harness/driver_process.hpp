#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/placement.hpp"
#include "harness/sut_process.hpp"

namespace loopbench {

/// How much the driver does in a slice of a socket workload: exactly `rounds` when that is not 0,
/// else until both minima are reached.
struct SliceWork {
    std::uint64_t rounds = 0;
    std::chrono::nanoseconds min_time{0};
    std::uint64_t min_operations_per_connection = 0;
};

/// The load generator, a process like a SUT. Errors as in Conversation; while a slice runs, the
/// death of the SUT is the SUT's error.
class DriverProcess {
  public:
    /// Starts the process, which waits for `release`. `who` is what errors call it.
    DriverProcess(std::string who, const ChildOptions& options, const StopSignals& signals,
                  const Patience& patience);

    void release() { conversation_.release(); }
    nlohmann::json describe();
    /// Opens the connections of `workload` to the SUT that listens on `address`. `server` is that
    /// SUT, or null for a foreign server.
    void connect(const std::string& workload, const std::string& address, std::uint64_t seed,
                 const nlohmann::json& params, Conversation* server);
    SliceAnswer slice(Placement placement, const SliceWork& work, Conversation* server);
    void quit() { conversation_.quit(); }

    Child& child() noexcept { return conversation_.child(); }

  private:
    Conversation conversation_;
    Patience patience_;
};

}  // namespace loopbench
