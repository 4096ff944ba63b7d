#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

namespace loopbench {

/// The raw slices of a measurement, appended as they come, so that a crash loses one at the most:
/// one line of JSON that says what is measured, then a line for each slice.
class SliceLog {
  public:
    /// FILE.slices.jsonl for the result FILE.
    static std::filesystem::path path_for(const std::filesystem::path& result);

    /// Starts the log at `path`, over one that is there, with `header` as its first line. Throws
    /// `std::system_error`, as `append` does.
    SliceLog(std::filesystem::path path, const nlohmann::json& header);
    ~SliceLog();
    SliceLog(const SliceLog&) = delete;
    SliceLog& operator=(const SliceLog&) = delete;

    /// Adds a line by a single `write`. When it fails (a full disk), the log is left as it was.
    void append(const nlohmann::json& slice);

    /// Removes the file: the result that it safeguarded has been written. Nothing can be appended
    /// afterwards.
    void remove();

  private:
    std::filesystem::path path_;
    int fd_;
};

struct SliceLogContents {
    nlohmann::json header;
    std::vector<nlohmann::json> slices;
    bool torn = false;  ///< the last line was cut off in the middle and has been left out
};

/// Reads what a `SliceLog` wrote, whole or cut short by a crash. Throws `std::invalid_argument`,
/// naming the line, when there is no header or a line other than a torn last one is not a JSON
/// object.
SliceLogContents read_slice_log(const std::filesystem::path& path);

}  // namespace loopbench
