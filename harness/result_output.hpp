#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "harness/placement.hpp"
#include "harness/sample.hpp"
#include "results/result.hpp"
#include "results/slice_log.hpp"

namespace loopbench {

/// Throws UsageError, which names `flag`, when no file could be written at `path` later (an empty
/// path means none is wanted): nobody should measure for nothing.
void check_output(std::string_view flag, const std::string& path);

/// Where `--json FILE` goes. Every slice is appended to FILE.slices.jsonl as it comes, so that a
/// crash loses one at the most; at the end the result appears at FILE as a whole, and the log goes.
class ResultOutput {
  public:
    /// With an empty path nothing is written at all.
    explicit ResultOutput(const std::string& path) : path_(path) {}

    /// Opens the log with the result's head as its first line.
    void begin(const ResultFile& head);
    void add(Placement placement, const std::string& arm, const SliceSample& sample);

    /// Writes the result as it is; the log goes on.
    void checkpoint(const ResultFile& result);

    /// Writes the result and removes the log. Throws std::system_error when that fails; then the
    /// log stays.
    void finish(const ResultFile& result);

  private:
    std::filesystem::path path_;
    std::optional<SliceLog> log_;
};

}  // namespace loopbench
