#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/block_totals.hpp"
#include "harness/workload_parameters.hpp"

namespace loopbench {

/// Why most figures of a server that is not ours are missing.
inline constexpr const char* foreign_server =
    "a foreign server: its process is not ours to observe";

/// How a metric's value for a block follows from the block's totals.
struct Figure {
    std::string_view metric;
    bool (*applies)(const WorkloadInfo& workload);
    /// The value, or nothing; `params` are those of the case.
    std::optional<double> (*value)(const BlockTotals& totals, const nlohmann::json& params);
    std::string_view missing;  ///< why there may be none
    bool from_driver = false;  ///< known of foreign servers too
    bool of_schedule = false;  ///< of open loops only
    bool by_slice = false;     ///< two arms are compared slice by slice (harness/pairing.hpp)
    bool of_phase = false;     ///< CPU time of one kind of operation among several

    /// Whether a case has this figure.
    bool belongs_to(const WorkloadInfo& of, const nlohmann::json& params) const;
};

/// System calls, where every block counts them in a process of its own.
const Figure& syscalls_by_block();

/// The figure of that metric, one of `block_figures` or `syscalls_by_block`; null for another.
const Figure* find_figure(std::string_view metric);

/// The figures that are computed block by block, in the order of the metrics' list.
const std::vector<Figure>& block_figures();

}  // namespace loopbench
