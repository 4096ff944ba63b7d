#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "loops/awaitables.hpp"
#include "loops/combinators.hpp"
#include "loops/endpoint.hpp"
#include "loops/fd.hpp"
#include "loops/task.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// A connected TCP stream of the loop on which nothing ever comes: its peer is a listening socket
/// that never accepts, which to the kernel is a connection all the same.
template <class Loop>
class QuietStream {
  public:
    explicit QuietStream(Loop& loop) : loop_(loop), stream_(loop) {}

    /// Throws `WorkloadError`. Runs the loop.
    void connect() {
        const Endpoint endpoint = listen();
        const Result<> connected = run_until_complete(loop_, connect_to(endpoint));
        if (!connected.ok()) refuse(connected.error());
    }

    /// Runs the loop.
    void close() { static_cast<void>(run_until_complete(loop_, end())); }

    typename Loop::Stream& stream() noexcept { return stream_; }

  private:
    Endpoint listen() {
        listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (!listener_ || ::bind(listener_.get(), generic, length) != 0 ||
            ::listen(listener_.get(), 1) != 0 ||
            ::getsockname(listener_.get(), generic, &length) != 0) {
            refuse({errno, std::system_category()});
        }
        return {generic, length};
    }

    Task<void> connect_to(Endpoint endpoint) {
        const Result<> connected = co_await loopbench::connect(stream_, endpoint);
        connected.value();
    }
    Task<void> end() { static_cast<void>(co_await loopbench::close(stream_)); }

    [[noreturn]] static void refuse(std::error_code error) {
        throw WorkloadError("a stream over the loopback network cannot be had: " + error.message(),
                            "see that 127.0.0.1 is up (ip address show lo)");
    }

    Loop& loop_;
    Fd listener_;
    typename Loop::Stream stream_;
};

}  // namespace loopbench
