#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loopbench {

/// What the kernel tells of itself in files, below a root that tests may set up as they like.
class SystemFiles {
  public:
    explicit SystemFiles(std::filesystem::path root = "/") : root_(std::move(root)) {}

    /// Where `path`, which begins with a slash, is really found.
    std::filesystem::path locate(std::string_view path) const;

    /// The text of a file without white space at its end; nothing when it cannot be read or is
    /// empty.
    std::optional<std::string> text(std::string_view path) const;

    /// A file that holds one whole number; nothing when it does not.
    std::optional<long long> number(std::string_view path) const;

    /// The value of the first line "NAME : VALUE" or "NAME: VALUE" of a file.
    std::optional<std::string> field(std::string_view path, std::string_view name) const;

    /// The names in a directory, sorted; none when it cannot be read.
    std::vector<std::string> names_in(std::string_view directory) const;

    /// Whether an option is set in the kernel's configuration; nothing when it is not shown.
    std::optional<bool> kernel_option(std::string_view option) const;

    /// Where a file of this process's control group lies, such as "cpu.max" (version 2) or
    /// "cpu.cfs_quota_us" (version 1, controller "cpu"); nothing when there is none. A path below
    /// the root, for `text`.
    std::optional<std::string> control_group_file(std::string_view controller,
                                                  std::string_view file) const;

  private:
    std::filesystem::path root_;
};

}  // namespace loopbench
