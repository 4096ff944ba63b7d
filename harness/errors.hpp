#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace loopbench {

/// How a command ended, for scripts. When several hold, the first of usage, workload_failed,
/// regression, unfit, inconclusive, success counts.
enum ExitStatus : int {
    exit_success = 0,
    exit_regression = 1,
    exit_usage = 2,
    exit_inconclusive = 3,
    exit_unfit = 4,
    exit_workload_failed = 5,
    exit_interrupted = 130,
};

/// What the user asked for cannot be done. The text is one line that names the flag and its value,
/// and says what would do.
class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A SUT or the driver broke off: it crashed, broke the protocol, went silent or found its own
/// result wrong. `who` is the arm's id, or "the driver".
class ProcessError : public std::runtime_error {
  public:
    ProcessError(std::string who, const std::string& what, std::vector<std::string> last_lines = {})
        : std::runtime_error(what), who_(std::move(who)), last_lines_(std::move(last_lines)) {}

    const std::string& who() const noexcept { return who_; }
    /// The last lines the process wrote to its standard error, oldest first.
    const std::vector<std::string>& last_lines() const noexcept { return last_lines_; }

  private:
    std::string who_;
    std::vector<std::string> last_lines_;
};

/// A process answered `error`: it says itself what it could not do and what would help.
class RefusedError : public ProcessError {
  public:
    RefusedError(std::string who, const std::string& what, std::string remedy,
                 std::vector<std::string> last_lines)
        : ProcessError(std::move(who), what, std::move(last_lines)), remedy_(std::move(remedy)) {}

    const std::string& remedy() const noexcept { return remedy_; }

  private:
    std::string remedy_;
};

/// The user pressed Ctrl-C, or asked for the end by SIGTERM.
class Interrupted : public std::runtime_error {
  public:
    Interrupted() : std::runtime_error("interrupted") {}
};

}  // namespace loopbench
