#include "harness/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <system_error>

namespace loopbench {
namespace {

constexpr off_t most_error_bytes = 1 << 20;
/// What the last lines are taken from.
constexpr off_t last_error_bytes = 16 * 1024;

struct Pipe {
    OwnedFd read;
    OwnedFd write;
};

Pipe make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    return {OwnedFd(ends[0]), OwnedFd(ends[1])};
}

/// The kernel's argument of sched_setattr(2), for which the C library has no declaration.
struct SchedulingAttributes {
    std::uint32_t size = sizeof(SchedulingAttributes);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 0;
    std::uint64_t deadline_ns = 0;
    std::uint64_t period_ns = 0;
};

/// Two processes that share a processor in turns are to hand it over when they sleep, and not at a
/// tick: SCHED_BATCH keeps a process that wakes up from pre-empting, and since Linux 6.12 a process
/// may ask for the length of its turn, 100 ms at the most; older kernels ignore it.
void run_in_long_turns() {
    SchedulingAttributes attributes;
    attributes.policy = SCHED_BATCH;
    attributes.runtime_ns = 100'000'000;
    syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

/// Where the child stands: its processor, its scheduling policy. Best effort but for the processor,
/// whose existence was checked before.
void place(const ChildOptions& options) {
    if (options.cpu) {
        cpu_set_t* set = CPU_ALLOC(*options.cpu + 1);
        const std::size_t size = CPU_ALLOC_SIZE(*options.cpu + 1);
        CPU_ZERO_S(size, set);
        CPU_SET_S(*options.cpu, size, set);
        sched_setaffinity(0, size, set);
        CPU_FREE(set);
    }
    if (options.batch) run_in_long_turns();
}

void report_errno(int fd) {
    const int error = errno;
    if (write(fd, &error, sizeof error) < 0) return;  // the harness is gone, and nobody asks
}

}  // namespace

Child::Child(const ChildOptions& options) {
    Pipe input = make_pipe();
    Pipe output = make_pipe();
    Pipe gate = make_pipe();
    Pipe failure = make_pipe();
    // A file, not a pipe: the process can never block on it, and nobody has to read along.
    errors_ = OwnedFd(memfd_create("stderr", MFD_CLOEXEC));
    if (!errors_) throw std::system_error(errno, std::generic_category(), "memfd_create");
    fcntl(errors_.get(), F_SETFL, O_APPEND);

    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) {
        dup2(input.read.get(), STDIN_FILENO);
        dup2(output.write.get(), STDOUT_FILENO);
        dup2(errors_.get(), STDERR_FILENO);
        gate.write.reset();
        run_program(options, parent, gate.read.get(), failure.write.get());
    }
    setpgid(pid_, pid_);
    pidfd_ = OwnedFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    input_ = std::move(input.write);
    output_ = std::move(output.read);
    gate_ = std::move(gate.write);
    failure_ = std::move(failure.read);
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);
}

Child::~Child() {
    if (pid_ <= 0) return;
    input_.reset();
    if (ended()) return;
    kill(pid_, SIGKILL);
    wait_for_end(-1);
}

void Child::run_program(const ChildOptions& options, pid_t parent, int gate, int failure) {
    setpgid(0, 0);  // Ctrl-C at the terminal is for the harness, which ends its children in order
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Had the harness died before the line above, no signal would come.
    if (getppid() != parent) _exit(127);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    place(options);
    if (options.padding > 0) {
        setenv("LOOPBENCH_PADDING", std::string(options.padding, 'x').c_str(), 1);
    }
    for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> arguments;
    for (const std::string& word : options.command) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    char go = 0;
    if (read(gate, &go, 1) != 1) _exit(127);
    execvp(arguments[0], arguments.data());
    report_errno(failure);
    _exit(127);
}

void Child::release() {
    const char go = 1;
    if (write(gate_.get(), &go, 1) != 1) {
        throw std::system_error(errno, std::generic_category(), "starting a process");
    }
    gate_.reset();
    int error = 0;
    ssize_t got = 0;
    while ((got = read(failure_.get(), &error, sizeof error)) < 0 && errno == EINTR) {
    }
    failure_.reset();
    if (got > 0) throw std::system_error(error, std::generic_category(), "exec");
}

bool Child::wait_for_end(int timeout_ms) {
    if (ended()) return true;
    pollfd watched{pidfd_.get(), POLLIN, 0};
    int ready = 0;
    while ((ready = poll(&watched, 1, timeout_ms)) < 0 && errno == EINTR) {
    }
    if (ready == 0) return false;
    kill(-pid_, SIGKILL);  // what it left behind; before it is reaped its number is not reused
    int status = 0;
    if (waitpid(pid_, &status, 0) == pid_) status_ = status;
    return ended();
}

std::string Child::ending() const {
    if (!status_) return "";
    if (WIFSIGNALED(*status_)) {
        const int number = WTERMSIG(*status_);
        return fmt::format("was killed by signal {} ({})", number, strsignal(number));
    }
    return fmt::format("exited with status {}", WEXITSTATUS(*status_));
}

std::optional<int> Child::exit_status() const noexcept {
    if (!status_ || !WIFEXITED(*status_)) return std::nullopt;
    return WEXITSTATUS(*status_);
}

std::string Child::last_errors() const {
    struct stat status {};
    fstat(errors_.get(), &status);
    const off_t start = std::max<off_t>(0, status.st_size - last_error_bytes);
    std::string text(static_cast<std::size_t>(status.st_size - start), '\0');
    const ssize_t got = pread(errors_.get(), text.data(), text.size(), start);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    return text;
}

std::vector<std::string> Child::last_lines(std::size_t count) const {
    std::vector<std::string> lines;
    std::istringstream stream(last_errors());
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty()) lines.push_back(line);
    }
    if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<long>(count));
    return lines;
}

void Child::trim_errors() {
    struct stat status {};
    if (fstat(errors_.get(), &status) != 0 || status.st_size <= most_error_bytes) return;
    const std::string kept = last_errors();
    // The file is in append mode: the process goes on at whatever is its end.
    if (ftruncate(errors_.get(), 0) != 0) return;
    if (write(errors_.get(), kept.data(), kept.size()) < 0) return;  // lines lost, no more
}

}  // namespace loopbench
