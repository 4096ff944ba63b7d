#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "harness/driver/connection_set.hpp"
#include "harness/driver/schedule.hpp"
#include "harness/driver/slice.hpp"
#include "results/histogram.hpp"

namespace loopbench::driver {

/// One run of the driver: answers the requests of the control protocol (docs/protocol.md).
class Session {
  public:
    /// The answer to a request, `error` included; nothing to `quit`. Throws HarnessGone when
    /// standard input ended in the middle of a slice.
    std::optional<nlohmann::json> answer(const nlohmann::json& request);

  private:
    nlohmann::json connect(const nlohmann::json& request);
    nlohmann::json slice(const nlohmann::json& request);
    /// Draws the schedule of an open-loop slice; throws DriverError when there can be none.
    void draw_schedule(const SliceOrder& order);
    SliceReport run(const SliceOrder& order);

    std::unique_ptr<ConnectionSet> connections_;  // null before connect, and after a failed slice
    std::optional<Schedule> schedule_;            // of an open loop
    Histogram latency_;
    Histogram send_lag_;
};

/// The protocol's `error`.
nlohmann::json error_answer(const std::string& what, const std::string& remedy);

}  // namespace loopbench::driver
