#pragma once

#include <filesystem>
#include <string>

namespace loopbench {

/// A directory of its own for the Unix sockets of a run, removed with this object.
class ScratchDirectory {
  public:
    /// Throws std::system_error when none can be made under TMPDIR (or /tmp).
    ScratchDirectory();
    ~ScratchDirectory();
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace loopbench
