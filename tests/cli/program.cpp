#include "tests/cli/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace loopbench {
namespace {

std::string read_from(int fd) {
    std::string text;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    errors_ = memfd_create("errors", MFD_CLOEXEC);
    std::vector<std::string> words{LOOPBENCH_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(errors_, STDERR_FILENO);
        setenv("LOOPBENCH_PATH", LOOPBENCH_FAKE_DIRECTORY, 1);
        execv(pointers[0], pointers.data());
        _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
}

Program::~Program() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close(output_);
    close(errors_);
}

void Program::send(int signal) const {
    kill(pid_, signal);
}

std::vector<pid_t> Program::children() const {
    const std::string number = std::to_string(pid_);
    std::ifstream file("/proc/" + number + "/task/" + number + "/children");
    std::vector<pid_t> found;
    for (pid_t child = 0; file >> child;) found.push_back(child);
    return found;
}

std::string Program::first_line() {
    char letter = 0;
    while (read(output_, &letter, 1) == 1) {
        read_ += letter;
        if (letter == '\n') break;
    }
    return read_.substr(0, read_.find('\n'));
}

Outcome Program::wait() {
    Outcome outcome;
    outcome.output = read_ + read_from(output_);
    int status = 0;
    rusage used{};
    wait4(pid_, &status, 0, &used);
    outcome.peak_rss_kib = used.ru_maxrss;
    pid_ = -1;
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    lseek(errors_, 0, SEEK_SET);
    outcome.errors = read_from(errors_);
    return outcome;
}

Outcome run_loopbench(const std::vector<std::string>& arguments) {
    Outcome outcome = Program(arguments).wait();
    for (int retry = 0; retry < 3; ++retry) {
        if (outcome.errors.find("slices were disturbed") == std::string::npos) break;
        outcome = Program(arguments).wait();
    }
    return outcome;
}

bool was_measured(const Outcome& outcome) {
    return outcome.status == 0 ||
           (outcome.status == 4 &&
            outcome.errors.find("slices were disturbed") != std::string::npos);
}

std::string program_name(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
    std::string name;
    std::getline(file, name);
    return name;
}

std::vector<pid_t> processes_of(const std::string& path) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::error_code gone;
        const auto program = std::filesystem::read_symlink(entry.path() / "exe", gone);
        if (program == path) found.push_back(static_cast<pid_t>(std::stol(name)));
    }
    return found;
}

TestDirectory::TestDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "loopbench-test-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
}

TestDirectory::~TestDirectory() {
    std::filesystem::remove_all(path_);
}

}  // namespace loopbench
