#pragma once

#include <map>
#include <string>
#include <vector>

namespace loopbench {

/// What the user typed, sorted but not yet understood: values are checked where they are used, so
/// that every mistake is told in the same words.
struct CommandLine {
    std::string command;                       ///< "run", "list", …
    std::map<std::string, std::string> flags;  ///< by name without dashes; switches are "true"
    std::string topic;                         ///< of `list`; the file of `baseline`
    std::vector<std::string> passed_on;        ///< of `micro`: flags that are Google Benchmark's
    std::string help;                          ///< what to print and then stop, if not empty

    bool has(const std::string& flag) const { return flags.contains(flag); }
    /// The value, or `otherwise` when the flag was not given.
    std::string value(const std::string& flag, const std::string& otherwise = "") const;
    /// The value; throws UsageError when it was not given. `example` is what would do.
    std::string required(const std::string& flag, const std::string& example) const;
    /// The values of the workloads' parameters, by the parameter's name.
    std::map<std::string, std::string> parameters() const;
};

/// Reads the command line and the file that `--config` names; what is typed wins over the file.
/// Throws UsageError.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace loopbench
