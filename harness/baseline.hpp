#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/gate_rule.hpp"
#include "results/result.hpp"

namespace loopbench {

/// One figure of a sitting: a loop over the frozen normaliser that was measured in the same blocks.
struct SittingCell {
    std::string workload;
    nlohmann::json params;
    std::string placement;
    std::string metric;
    std::string arm;
    std::string normaliser;
    double log_ratio =
        0;  ///< Hodges–Lehmann over the blocks, above 0 is dearer than the normaliser
    std::size_t blocks = 0;
};

/// One recording of the same build: the unit of a baseline, since what two recordings minutes apart
/// differ by is not seen within one.
struct Sitting {
    std::string created;  ///< RFC 3339, UTC
    nlohmann::json
        fingerprint;  ///< of the environment, with the versions of driver and normalisers
    std::vector<SittingCell> cells;
};

/// Sittings nearer to the one before than this do not count: they would have shared its state.
inline constexpr int least_seconds_between_sittings = 60;

/// The sittings in the baseline file at `path`, in their order; none when there is no such file.
/// Throws UsageError, which names `flag`, for a file that is no baseline.
std::vector<Sitting> read_sittings(std::string_view flag, const std::filesystem::path& path);

/// For the `sittings` member of the result file.
nlohmann::json to_json(const std::vector<Sitting>& sittings);

/// Those that count, each at least a minute after the one before.
std::vector<Sitting> spaced(const std::vector<Sitting>& sittings);

/// What the cells were measured to be. A cell without an estimate is left out.
std::vector<SittingCell> sitting_cells(const std::vector<JudgedCell>& cells);

/// What a sitting must share with another to be comparable.
nlohmann::json sitting_fingerprint(const ResultFile& result);

/// Judges a cell, measured over its normaliser, by the sittings of a baseline: fills in its
/// evidence or why it cannot be judged. False when the baseline has no such cell.
bool judge_by_sittings(JudgedCell& cell, const std::vector<Sitting>& sittings);

}  // namespace loopbench
