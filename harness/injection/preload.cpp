// A library to preload, for tests only: makes every thread of a program use
// LOOPBENCH_INJECTED_PERCENT percent more processor time (docs/injection.md). It stands before the
// calls in which event loops wait, and hands them on.

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "harness/injection/injector.hpp"
#include "harness/injection/percent.hpp"

namespace {

using loopbench::injection::Injector;

std::uint64_t read_clock(clockid_t clock) noexcept {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

struct SystemClocks {
    static std::uint64_t cpu_ns() noexcept { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
    static std::uint64_t quick_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }
};

constexpr const char* variable = "LOOPBENCH_INJECTED_PERCENT";

double injected_share() {
    static const double share = [] {
        const char* const text = std::getenv(variable);
        const auto read = loopbench::injection::share_of_percent(text);
        if (!read) {
            std::fprintf(stderr,
                         "libloopbench-injection.so: %s is '%s'; give a number of percent from 0 "
                         "to 10000, such as 2.5\n",
                         variable, text == nullptr ? "" : text);
            std::abort();
        }
        return *read;
    }();
    return share;
}

/// A bad value ends the program before it does anything.
[[gnu::constructor]] void check_share() {
    injected_share();
}

thread_local unsigned reads_since_a_wait = 0;

/// The function of this name that the program would have without this library.
template <class Function>
Function* next(Function&, const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// This thread's, for all its calls: a spin is no work to another.
Injector<SystemClocks>& injector() {
    thread_local Injector<SystemClocks> mine(injected_share(), {});
    return mine;
}

/// Makes a call in which the thread may sleep.
template <class Call>
auto around(const Call& call) {
    reads_since_a_wait = 0;
    injector().before();
    const auto result = call();
    injector().after();
    return result;
}

/// Makes a reading call. A loop reads between two waits what it was told of; a thread that never
/// waits otherwise sleeps in its reads.
template <class Call>
auto around_read(const Call& call) {
    constexpr unsigned most_between_waits = 1024;
    if (reads_since_a_wait < most_between_waits) {
        ++reads_since_a_wait;
        return call();
    }
    const auto result = around(call);
    reads_since_a_wait = most_between_waits;
    return result;
}

}  // namespace

extern "C" {

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
    static const auto real = next(epoll_wait, "epoll_wait");
    return around([=] { return real(epoll, events, most, timeout); });
}

int epoll_pwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
    static const auto real = next(epoll_pwait, "epoll_pwait");
    return around([=] { return real(epoll, events, most, timeout, mask); });
}

int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* timeout,
                 const sigset_t* mask) {
    static const auto real = next(epoll_pwait2, "epoll_pwait2");
    return around([=] { return real(epoll, events, most, timeout, mask); });
}

int poll(pollfd* descriptors, nfds_t count, int timeout) {
    static const auto real = next(poll, "poll");
    return around([=] { return real(descriptors, count, timeout); });
}

int ppoll(pollfd* descriptors, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    static const auto real = next(ppoll, "ppoll");
    return around([=] { return real(descriptors, count, timeout, mask); });
}

int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
    static const auto real = next(select, "select");
    return around([=] { return real(count, readable, writable, exceptional, timeout); });
}

int pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional,
            const timespec* timeout, const sigset_t* mask) {
    static const auto real = next(pselect, "pselect");
    return around([=] { return real(count, readable, writable, exceptional, timeout, mask); });
}

ssize_t read(int descriptor, void* buffer, std::size_t size) {
    static const auto real = next(read, "read");
    return around_read([=] { return real(descriptor, buffer, size); });
}

ssize_t recv(int descriptor, void* buffer, std::size_t size, int flags) {
    static const auto real = next(recv, "recv");
    return around_read([=] { return real(descriptor, buffer, size, flags); });
}

/// Work within the process is done when the answer is written: what it owes is added before.
ssize_t write(int descriptor, const void* buffer, std::size_t size) {
    static const auto real = next(write, "write");
    const auto call = [=] { return real(descriptor, buffer, size); };
    return descriptor == STDOUT_FILENO ? around(call) : call();
}

/// Futexes, and rings that are entered by hand.
long syscall(long number, ...) noexcept {
    static const auto real = next(syscall, "syscall");
    va_list rest;
    va_start(rest, number);
    long arguments[6];
    for (long& argument : arguments) argument = va_arg(rest, long);
    va_end(rest);
    const auto call = [=] {
        return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                    arguments[5]);
    };
    return number == SYS_futex || number == SYS_io_uring_enter ? around(call) : call();
}

// liburing makes its system calls without the C library, so that its functions stand for them.
// They are declared here because this library is built where that one is missing, too.
struct io_uring;
struct io_uring_cqe;

int io_uring_submit(io_uring* ring) {
    static const auto real = next(io_uring_submit, "io_uring_submit");
    return around([=] { return real(ring); });
}

int io_uring_submit_and_wait(io_uring* ring, unsigned wanted) {
    static const auto real = next(io_uring_submit_and_wait, "io_uring_submit_and_wait");
    return around([=] { return real(ring, wanted); });
}

int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** completion, unsigned wanted,
                                     void* timeout, sigset_t* mask) {
    static const auto real =
        next(io_uring_submit_and_wait_timeout, "io_uring_submit_and_wait_timeout");
    return around([=] { return real(ring, completion, wanted, timeout, mask); });
}

/// What the inline function io_uring_wait_cqe comes down to.
// NOLINTNEXTLINE(bugprone-reserved-identifier): it is the library's name
int __io_uring_get_cqe(io_uring* ring, io_uring_cqe** completion, unsigned submit, unsigned wanted,
                       sigset_t* mask) {
    static const auto real = next(__io_uring_get_cqe, "__io_uring_get_cqe");
    return around([=] { return real(ring, completion, submit, wanted, mask); });
}

}  // extern "C"
