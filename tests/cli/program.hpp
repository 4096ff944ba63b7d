#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace loopbench {

/// How a program ended and what it wrote.
struct Outcome {
    int status = -1;  ///< its exit status, or 128 + the signal that killed it
    std::string output;
    std::string errors;
    long peak_rss_kib = 0;
};

/// A running `loopbench` with these arguments; killed with this object if it still runs. The fake
/// SUT is known to it as the loop `fake`.
class Program {
  public:
    explicit Program(const std::vector<std::string>& arguments);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    pid_t pid() const { return pid_; }
    void send(int signal) const;
    /// The processes that it started and that live.
    std::vector<pid_t> children() const;
    /// The first line on its standard output; waits for it.
    std::string first_line();
    /// Waits for its end.
    Outcome wait();

  private:
    pid_t pid_ = -1;
    int output_ = -1;
    int errors_ = -1;  ///< a file, so that nobody has to read along
    std::string read_;
};

/// Runs `loopbench` to its end; again, a few times, where other programs disturbed its slices so
/// much that it called the machine unfit.
Outcome run_loopbench(const std::vector<std::string>& arguments);

/// Whether it measured to the end: exit code 0, or 4 for slices that other programs disturbed,
/// which a sanitizer's slow driver and harness count as.
bool was_measured(const Outcome& outcome);

/// The name of a process's program; empty when it is gone.
std::string program_name(pid_t pid);

/// The processes that run the executable at `path`.
std::vector<pid_t> processes_of(const std::string& path);

/// A directory for a test's files, removed with this object.
class TestDirectory {
  public:
    TestDirectory();
    ~TestDirectory();
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;

    std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

}  // namespace loopbench
