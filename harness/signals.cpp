#include "harness/signals.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <system_error>

#include "harness/errors.hpp"

namespace loopbench {
namespace {

sigset_t stop_set() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

}  // namespace

StopSignals::StopSignals() {
    const sigset_t set = stop_set();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    fd_ = OwnedFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw std::system_error(errno, std::generic_category(), "signalfd");
}

StopSignals::~StopSignals() {
    // A stop that came is used up: its default action, on unblocking, would end the process before
    // its exit status is decided.
    signalfd_siginfo used;
    while (read(fd_.get(), &used, sizeof used) > 0) {
    }
    const sigset_t set = stop_set();
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void StopSignals::check() const {
    pollfd watched{fd_.get(), POLLIN, 0};
    if (poll(&watched, 1, 0) > 0) throw Interrupted();
}

void StopSignals::wait(int other) const {
    pollfd watched[2] = {{fd_.get(), POLLIN, 0}, {other, POLLIN, 0}};
    while (poll(watched, 2, -1) < 0 && errno == EINTR) {
    }
}

}  // namespace loopbench
