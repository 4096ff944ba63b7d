#include "tests/workloads/sut_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <sstream>

extern char** environ;

namespace loopbench {

namespace {

std::vector<std::string> split(const char* list) {
    std::istringstream names(list);
    std::vector<std::string> result;
    for (std::string name; std::getline(names, name, ',');) result.push_back(name);
    return result;
}

}  // namespace

std::vector<std::string> built_loops() {
    return split(LOOPBENCH_TEST_LOOPS);
}

std::vector<std::string> built_references() {
    return split(LOOPBENCH_TEST_REFERENCES);
}

std::vector<std::string> built_references(const std::vector<std::string>& wanted) {
    std::vector<std::string> result;
    for (const std::string& name : built_references()) {
        if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) result.push_back(name);
    }
    return result;
}

std::string TestName::operator()(const testing::TestParamInfo<std::string>& test) const {
    std::string name = test.param;
    for (char& each : name) {
        if (std::isalnum(static_cast<unsigned char>(each)) == 0) each = '_';
    }
    return name;
}

std::string TestName::operator()(
    const testing::TestParamInfo<std::tuple<std::string, std::string>>& test) const {
    const auto& [arm, form] = test.param;
    return (*this)(testing::TestParamInfo<std::string>(arm + "_" + form, test.index));
}

SutProcess::SutProcess(const std::string& loop, const std::string& preload) {
    int to[2];
    int from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) std::abort();
    std::string path = std::string(LOOPBENCH_TEST_BIN) + "/loopbench-sut-" + loop;
    std::string preload_setting = "LD_PRELOAD=" + preload;
    std::vector<char*> environment;
    for (char** each = environ; *each != nullptr; ++each) environment.push_back(*each);
    if (!preload.empty()) environment.push_back(preload_setting.data());
    environment.push_back(nullptr);
    char* arguments[] = {path.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    const int error =
        posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environment.data());
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(error, 0) << path;
    close(to[0]);
    close(from[1]);
    input_ = to[1];
    output_ = from[0];
    std::signal(SIGPIPE, SIG_IGN);
}

SutProcess::~SutProcess() {
    end_input();
    if (pid_ > 0) wait();
    close(output_);
}

void SutProcess::send_raw(const std::string& bytes) {
    EXPECT_EQ(write(input_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

std::string SutProcess::receive_line() {
    for (;;) {
        if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
            std::string line = received_.substr(0, end);
            received_.erase(0, end + 1);
            return line;
        }
        char buffer[4096];
        const ssize_t got = read(output_, buffer, sizeof buffer);
        if (got <= 0) return {};
        received_.append(buffer, static_cast<std::size_t>(got));
    }
}

nlohmann::json SutProcess::ask(const nlohmann::json& request) {
    send_raw(request.dump() + '\n');
    const std::string line = receive_line();
    return line.empty() ? nlohmann::json() : nlohmann::json::parse(line);
}

nlohmann::json SutProcess::set_up(const std::string& workload, const nlohmann::json& params,
                                  const std::string& listen, const nlohmann::json& keys) {
    nlohmann::json request{
        {"type", "setup"}, {"workload", workload}, {"keys", keys}, {"seed", 7}, {"params", params}};
    if (!listen.empty()) request["listen"] = listen;
    return ask(request);
}

nlohmann::json SutProcess::counters() {
    const nlohmann::json answer = ask({{"type", "mark"}});
    EXPECT_EQ(answer.value("type", ""), "marked") << answer;
    return answer.value("counters", nlohmann::json::object());
}

void SutProcess::end_input() {
    if (input_ >= 0) close(input_);
    input_ = -1;
}

void SutProcess::signal(int number) {
    kill(pid_, number);
}

int SutProcess::wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string why_unavailable(const std::string& loop) {
    const nlohmann::json description =
        SutProcess(loop).ask({{"type", "describe"}, {"keys", nlohmann::json::object()}});
    return description.value("available", true) ? "" : description.value("reason", "no reason");
}

}  // namespace loopbench
