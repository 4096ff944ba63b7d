#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "harness/line_channel.hpp"

namespace loopbench::test {

/// The driver as a child process, spoken to over pipes as the harness does.
class DriverProcess {
  public:
    /// `descriptor_limit` becomes the child's soft limit when given.
    explicit DriverProcess(std::optional<rlim_t> descriptor_limit = std::nullopt) {
        signal(SIGPIPE, SIG_IGN);
        int requests[2];
        int answers[2];
        if (pipe2(requests, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) {
            throw std::runtime_error("pipe2");
        }
        pid_ = fork();
        if (pid_ == 0) {
            if (descriptor_limit) {
                rlimit limit{};
                getrlimit(RLIMIT_NOFILE, &limit);
                limit.rlim_cur = *descriptor_limit;
                setrlimit(RLIMIT_NOFILE, &limit);
            }
            dup2(requests[0], STDIN_FILENO);
            dup2(answers[1], STDOUT_FILENO);
            execl(LOOPBENCH_DRIVER, LOOPBENCH_DRIVER, nullptr);
            _exit(127);
        }
        close(requests[0]);
        close(answers[1]);
        requests_ = requests[1];
        answers_ = answers[0];
        reader_.emplace(answers_);
    }
    DriverProcess(const DriverProcess&) = delete;
    DriverProcess& operator=(const DriverProcess&) = delete;
    ~DriverProcess() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        close_requests();
        close(answers_);
    }

    void say(const std::string& line) { write_line(requests_, line); }
    nlohmann::json hear() {
        const auto line = reader_->read_line();
        return line ? nlohmann::json::parse(*line) : nlohmann::json{{"type", "nothing: it ended"}};
    }
    nlohmann::json ask(const nlohmann::json& request) {
        say(request.dump());
        return hear();
    }

    void close_requests() {
        if (requests_ >= 0) close(requests_);
        requests_ = -1;
    }
    void interrupt() const { kill(pid_, SIGINT); }
    /// Waits for its end; -1 when a signal ended it.
    int exit_status() {
        int status = 0;
        waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

  private:
    pid_t pid_;
    int requests_;
    int answers_;
    std::optional<LineReader> reader_;
};

}  // namespace loopbench::test
