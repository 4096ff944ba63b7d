#include "harness/driver/connecting.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "harness/driver/errors.hpp"

namespace loopbench::driver {
namespace {

using Clock = std::chrono::steady_clock;

// How long the server may accept nothing before it counts as stuck.
constexpr std::chrono::seconds accept_patience{10};
constexpr std::chrono::milliseconds pause_length{1};
// Of an unknown server: Python's socketserver listens with a backlog of 5, asyncio with 100.
constexpr std::uint32_t cautious_batch = 4;
constexpr std::uint32_t largest_batch = 256;
// Standard streams, epoll, and some to spare.
constexpr rlim_t other_descriptors = 16;

const char* remedy_for(int error) {
    switch (error) {
        case ECONNREFUSED:
        case ENOENT:
            return "nobody listens there: check the address and that the server is running";
        case EAGAIN:
        case ETIMEDOUT:
            return "the server does not accept: is it stuck, or its backlog too short?";
        case EADDRNOTAVAIL:
            return "the local ports are used up: use fewer connections, wait a minute for the last "
                   "ones to be free again, or widen net.ipv4.ip_local_port_range";
        case EMFILE:
        case ENFILE:
            return "raise the limit on open files (ulimit -n, fs.file-max) or use fewer "
                   "connections";
        case EACCES:
        case EPERM:
            return "this user may not connect there: check the permissions of the path";
        case EPROTOTYPE:
            return "the socket at that path is not a stream socket";
        case ENETUNREACH:
        case EHOSTUNREACH:
            return "no route leads there from this network namespace: is the interface up?";
        default:
            return "connect(2) and socket(2) list the causes";
    }
}

/// One attempt to open all connections.
class Opening {
  public:
    explicit Opening(const CaseParameters& parameters) : parameters_(parameters) {
        connections_.reserve(parameters.connections);
    }

    std::vector<OwnedFd> all() {
        const std::uint32_t backlog = parameters_.backlog;
        const std::uint32_t batch = backlog == 0
                                        ? cautious_batch
                                        : std::clamp<std::uint32_t>(backlog / 4, 1, largest_batch);
        while (connections_.size() < parameters_.connections) {
            // A TCP connection counts as established before the server has accepted it: the pause
            // gives it the time to empty its backlog, on the same processor too.
            if (!connections_.empty()) poll(nullptr, 0, pause_length.count());
            const std::size_t first = connections_.size();
            const std::size_t end = std::min<std::size_t>(first + batch, parameters_.connections);
            while (connections_.size() < end) begin_one();
            await_established();
        }
        return std::move(connections_);
    }

  private:
    [[noreturn]] void fail(int error, std::size_t number) const {
        throw DriverError(
            fmt::format("opening connection {} of {} to {}: {}", number + 1,
                        parameters_.connections, parameters_.address_text, std::strerror(error)),
            remedy_for(error));
    }

    void set_option(int level, int name, int value) const {
        if (setsockopt(connections_.back().get(), level, name, &value, sizeof value) != 0) {
            fail(errno, connections_.size() - 1);
        }
    }

    void begin_one() {
        const std::size_t number = connections_.size();
        const Address& address = parameters_.address;
        const int descriptor =
            socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (descriptor < 0) fail(errno, number);
        connections_.emplace_back(descriptor);
        if (parameters_.send_buffer > 0) set_option(SOL_SOCKET, SO_SNDBUF, parameters_.send_buffer);
        if (parameters_.receive_buffer > 0) {
            set_option(SOL_SOCKET, SO_RCVBUF, parameters_.receive_buffer);
        }
        if (address.family() != AF_UNIX) {
            set_option(IPPROTO_TCP, TCP_NODELAY, parameters_.no_delay ? 1 : 0);
        }

        const auto give_up = Clock::now() + accept_patience;
        while (connect(descriptor, address.data(), address.length) != 0) {
            if (errno == EINPROGRESS) {
                establishing_.push_back({descriptor, POLLOUT, 0});
                return;
            }
            // A Unix socket with a full backlog says so at once and cannot be polled for it.
            if (errno != EAGAIN || Clock::now() > give_up) fail(errno, number);
            poll(nullptr, 0, pause_length.count());
        }
    }

    /// Waits until every connection begun is established.
    void await_established() {
        while (!establishing_.empty()) {
            const int ready =
                poll(establishing_.data(), establishing_.size(),
                     static_cast<int>(std::chrono::milliseconds(accept_patience).count()));
            if (ready < 0 && errno != EINTR) fail(errno, connections_.size() - 1);
            if (ready == 0) fail(ETIMEDOUT, connections_.size() - 1);
            std::erase_if(establishing_, [this](const pollfd& entry) {
                if (entry.revents == 0) return false;
                int error = 0;
                socklen_t length = sizeof error;
                getsockopt(entry.fd, SOL_SOCKET, SO_ERROR, &error, &length);
                if (error != 0) fail(error, connections_.size() - 1);
                return true;
            });
        }
    }

    const CaseParameters& parameters_;
    std::vector<OwnedFd> connections_;
    std::vector<pollfd> establishing_;
};

void raise_descriptor_limit(std::uint32_t connections) {
    const rlim_t wanted = connections + other_descriptors;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return;
    const rlim_t hard = limit.rlim_max;
    limit.rlim_cur = wanted;
    limit.rlim_max = std::max(wanted, hard);  // above the hard limit only a privileged user gets
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
    throw DriverError(fmt::format("{} connections need {} descriptors and the limit is {}",
                                  connections, wanted, hard),
                      fmt::format("use at most {} connections, or raise the hard limit (ulimit -Hn "
                                  "as root, LimitNOFILE= in systemd, fs.nr_open)",
                                  hard > other_descriptors ? hard - other_descriptors : 0));
}

}  // namespace

std::vector<OwnedFd> open_connections(const CaseParameters& parameters) {
    raise_descriptor_limit(parameters.connections);
    return Opening(parameters).all();
}

}  // namespace loopbench::driver
