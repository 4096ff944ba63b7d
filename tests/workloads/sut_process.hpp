#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace loopbench {

/// The names of the loops, and of the references, that were built.
std::vector<std::string> built_loops();
std::vector<std::string> built_references();

/// Those of `wanted` that were built: a library may be missing.
std::vector<std::string> built_references(const std::vector<std::string>& wanted);

/// What may be in the name of a test, of an arm's or a variant's name.
std::string test_name_of(std::string text);

/// A SUT executable that is spoken to by the control protocol, over pipes.
class SutProcess {
  public:
    /// `preload` is a library for LD_PRELOAD, or empty.
    explicit SutProcess(const std::string& loop, const std::string& preload = {});
    SutProcess(const SutProcess&) = delete;
    SutProcess& operator=(const SutProcess&) = delete;
    /// Ends its input and waits for it.
    ~SutProcess();

    /// Sends a request and waits for its answer; null when the process ended instead.
    nlohmann::json ask(const nlohmann::json& request);

    /// `setup` with these parameters.
    nlohmann::json set_up(const std::string& workload, const nlohmann::json& params,
                          const std::string& listen = {},
                          const nlohmann::json& keys = nlohmann::json::object());
    /// The counters of `mark`; a test failure when the answer is an error.
    nlohmann::json counters();

    void send_raw(const std::string& bytes);
    /// The next line of its output; empty at its end.
    std::string receive_line();
    void end_input();
    void signal(int number);
    /// Waits for its end. The exit status, or 128 and the signal.
    int wait();

  private:
    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    std::string received_;
};

}  // namespace loopbench
