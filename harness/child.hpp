#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/fd.hpp"

namespace loopbench {

/// How a process of the harness is started.
struct ChildOptions {
    std::vector<std::string> command;  ///< the program (looked up in PATH) and its arguments
    std::optional<int> cpu;            ///< the processor that it may run on; any when absent
    bool batch = false;                ///< under SCHED_BATCH: waking up never pre-empts
    std::size_t padding = 0;           ///< bytes of unused environment, which shift the stack
    std::vector<std::pair<std::string, std::string>> environment;  ///< set beside the inherited one
};

/// A child process with pipes on its standard input and output and its standard error kept for
/// diagnosis. It dies with the harness (PDEATHSIG, and end of input on its pipe), and with this
/// object, which kills and reaps it, together with whatever it started in its process group.
class Child {
  public:
    /// Forks; the child waits until `release`, so that counters can be opened on it before it runs
    /// its program. To be called by the main thread: PDEATHSIG follows the thread. Throws
    /// std::system_error.
    explicit Child(const ChildOptions& options);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Lets the child run its program. Throws std::system_error with the errno of the exec when it
    /// cannot be run.
    void release();

    pid_t pid() const noexcept { return pid_; }
    /// Readable when the process has ended.
    int pidfd() const noexcept { return pidfd_.get(); }
    int input() const noexcept { return input_.get(); }    ///< writes to its standard input
    int output() const noexcept { return output_.get(); }  ///< reads its standard output
    void close_input() noexcept { input_.reset(); }

    /// Waits at most `timeout_ms` for the end; whether it has come.
    bool wait_for_end(int timeout_ms);
    /// How it ended, as one says it: "was killed by signal 9 (Killed)", "exited with status 3";
    /// empty while it runs.
    std::string ending() const;
    bool ended() const noexcept { return status_.has_value(); }
    bool ended_well() const noexcept { return status_ == 0; }
    /// The status it exited with; none while it runs, or when a signal killed it.
    std::optional<int> exit_status() const noexcept;

    /// The last lines of its standard error, at most `count`, oldest first.
    std::vector<std::string> last_lines(std::size_t count) const;
    /// Once it has written more than a mebibyte to standard error, forgets all but its last lines,
    /// so that a chatty process does not fill the memory. To be called between slices, and while an
    /// answer is long in coming.
    void trim_errors();

  private:
    /// The end of what it wrote to standard error.
    std::string last_errors() const;
    [[noreturn]] void run_program(const ChildOptions& options, pid_t parent, int gate, int failure);

    pid_t pid_ = -1;
    OwnedFd pidfd_;
    OwnedFd input_;
    OwnedFd output_;
    OwnedFd errors_;
    OwnedFd gate_;     ///< one byte lets the child go on to exec
    OwnedFd failure_;  ///< the errno of a failed exec, or end of file
    std::optional<int> status_;
};

}  // namespace loopbench
