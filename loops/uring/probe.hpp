#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "loops/fd.hpp"
#include "loops/uring/buffer_ring.hpp"
#include "loops/uring/ring.hpp"

namespace loopbench {

/// Receives a byte by a multishot request into a provided buffer (Linux 6.0), on sockets of its
/// own. Throws `std::system_error` when the kernel cannot.
inline void try_multishot_receive(Ring& ring, BufferRing& buffers) {
    struct Probe final : RingRequest {
        Probe() : RingRequest(&completed) {}
        static void completed(RingRequest& request, int result, unsigned flags) noexcept {
            auto& self = static_cast<Probe&>(request);
            if (self.result == 0) self.result = result;
            self.more = (flags & IORING_CQE_F_MORE) != 0;
            if ((flags & IORING_CQE_F_BUFFER) != 0) self.buffers->give_back(flags);
        }
        BufferRing* buffers = nullptr;
        int result = 0;
        bool more = false;
    };
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        throw std::system_error(errno, std::system_category(), "socketpair");
    }
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    Probe probe;
    probe.buffers = &buffers;
    io_uring_sqe* entry = ring.prepare(&probe);
    ::io_uring_prep_recv_multishot(entry, reader.get(), nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = BufferRing::group;
    if (::send(writer.get(), "?", 1, MSG_NOSIGNAL) != 1) {
        throw std::system_error(errno, std::system_category(), "send");
    }
    const auto next = [&] {
        ring.enter(std::nullopt);
        ring.dispatch([] {});
    };
    next();
    const bool received = probe.result == 1 && probe.more;
    writer.reset();  // ends the request
    while (probe.more) next();
    if (!received) {
        throw std::system_error(probe.result < 0 ? -probe.result : EOPNOTSUPP,
                                std::system_category(), "multishot receive");
    }
}

/// What would help against an errno of setting up.
inline std::string remedy_for(int error) {
    switch (error) {
        case EPERM:
        case EACCES:
            return "io_uring is switched off: see sysctl kernel.io_uring_disabled, or the seccomp "
                   "filter of the container (for Docker: --security-opt seccomp=unconfined)";
        case ENOSYS:
            return "needs Linux 6.0 or later with io_uring built in and not filtered out by "
                   "seccomp (for Docker: --security-opt seccomp=unconfined)";
        case ENOMEM:
            return "raise the locked-memory limit (ulimit -l)";
        case EMFILE:
        case ENFILE:
            return "raise the limit on open descriptors (ulimit -n)";
        default:
            return "needs Linux 6.0 or later";
    }
}

}  // namespace loopbench
