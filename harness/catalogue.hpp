#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/arm.hpp"

namespace loopbench {

/// A program of loopbench's that was found, and where.
struct FoundProgram {
    std::string name;  ///< what follows the prefix of its kind, as in `loopbench-sut-NAME`
    std::filesystem::path path;  ///< absolute
    std::string origin;          ///< "LOOPBENCH_PATH", "beside loopbench", "libexec/loopbench"
};

/// The SUTs on this machine: every executable `loopbench-sut-NAME` in the directories of
/// LOOPBENCH_PATH, then beside the harness (a build tree), then in ../libexec/loopbench (an
/// installation). The first found of a name wins.
class Catalogue {
  public:
    /// Looks for the harness that is running, with the environment's LOOPBENCH_PATH.
    static Catalogue of_this_process();

    /// `search_path`: directories separated by colons. `harness_directory`: where `loopbench` lies.
    Catalogue(std::string_view search_path, const std::filesystem::path& harness_directory);

    const std::vector<FoundProgram>& suts() const noexcept { return suts_; }
    std::vector<std::string> names() const;

    /// Every executable whose file name begins with `prefix`, found like the SUTs; `name` is what
    /// follows the prefix.
    std::vector<FoundProgram> programs(std::string_view prefix) const;

    /// The program of an arm; throws UsageError, which names `flag`, when there is none.
    std::filesystem::path program_of(const ArmSpec& arm, std::string_view flag) const;

    /// Another file of loopbench's that lies where SUTs lie, such as `loopbench-driver`; empty when
    /// it is not there.
    std::filesystem::path find(std::string_view file) const;

  private:
    struct Directory {
        std::filesystem::path path;
        std::string origin;
    };

    std::vector<Directory> directories_;
    std::vector<FoundProgram> suts_;
};

}  // namespace loopbench
