#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "harness/address.hpp"
#include "loops/socket.hpp"
#include "workloads/bare/host.hpp"
#include "workloads/offered.hpp"
#include "workloads/server.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// What an event's pointer leads to: the part of a connection that every service needs.
struct BareConnection {
    explicit BareConnection(Fd connected) noexcept : socket(std::move(connected)) {}

    Fd socket;
    bool hang_up = false;  // an end of file or an error lies behind what can be read
};

/// Edge-triggered epoll, in which each socket is registered once. A class `Service` says what
/// happens on a connection; it names its `Connection`, a `BareConnection`, and gives
///  - Service(const SocketParameters&, SelfCheck&, int epoll);
///  - Connection(Service&, Fd);
///  - bool ready(Connection&, std::uint32_t events), false when the connection is over;
///  - WorkloadCounters counters(), without the open connections.
/// All of it is known when this is compiled and none of it is virtual.
template <class Service>
class BareServer final : public Workload, private BareHost::Server {
  public:
    BareServer(BareHost& host, const WorkloadSetup& setup)
        : host_(host),
          parameters_(push_parameters(setup.params, "bare")),
          address_(setup.listen),
          service_(parameters_, check_, host.epoll()) {}

    std::string set_up() override {
        const Endpoint wanted = listening_endpoint(address_);
        if (const int error = open_listener(wanted, parameters_.listen, listener_)) {
            throw listen_error(address_, std::error_code(error, std::system_category()));
        }
        endpoint_ = local_endpoint_of(listener_.get());
        if (const int error = watch(listener_.get(), this)) {
            throw listen_error(address_, std::error_code(error, std::system_category()));
        }
        host_.set_server(*this);
        return format_address(endpoint_.address(), endpoint_.length);
    }

    WorkloadCounters counters() const override {
        WorkloadCounters result = service_.counters();
        result.open_connections = connections_.size();
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    void shut_down() override {
        connections_.clear();
        listener_.reset();
        remove_socket_path(endpoint_);
    }

  private:
    struct Connection : Service::Connection {
        using Service::Connection::Connection;
        typename std::list<Connection>::iterator place;
    };

    void serve() noexcept override {
        while (!host_.stopped()) {
            const int found = ::epoll_wait(host_.epoll(), events_.data(), events_.size(), -1);
            host_.count_turn();
            for (int i = 0; i < found; ++i) {
                const epoll_event event = events_[static_cast<std::size_t>(i)];
                if (event.data.ptr == nullptr) {
                    host_.control_ready();
                } else if (event.data.ptr == this) {
                    accept_all();
                } else {
                    // One event for each descriptor: nobody else's pointer goes stale by this.
                    auto& connection =
                        static_cast<Connection&>(*static_cast<BareConnection*>(event.data.ptr));
                    if (!service_.ready(connection, event.events)) {
                        connections_.erase(connection.place);
                    }
                }
            }
        }
    }

    /// 0, or an errno.
    int watch(int descriptor, void* pointer) const noexcept {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
        event.data.ptr = pointer;
        return ::epoll_ctl(host_.epoll(), EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
    }

    void accept_all() noexcept {
        for (;;) {
            Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (socket) {
                take(std::move(socket));
                continue;
            }
            switch (errno) {
                case EAGAIN:
                    return;
                case EMFILE:
                case ENFILE:
                case ENOBUFS:
                case ENOMEM:
                    check_.fail("accept failed: " + std::system_category().message(errno));
                    return;
                default:  // accept(2): of a connection that is gone before it was accepted
                    break;
            }
        }
    }

    void take(Fd socket) noexcept {
        const int descriptor = socket.get();
        int error = 0;
        // TCP connections have inherited the options; Unix ones do not.
        if (endpoint_.is_unix()) error = apply(parameters_.listen.socket, descriptor, AF_UNIX);
        Connection& connection = connections_.emplace_back(service_, std::move(socket));
        connection.place = std::prev(connections_.end());
        if (error == 0) error = watch(descriptor, static_cast<BareConnection*>(&connection));
        if (error == 0) return;
        check_.fail("accept failed: " + std::system_category().message(error));
        connections_.pop_back();
    }

    BareHost& host_;
    SocketParameters parameters_;
    std::string address_;
    Endpoint endpoint_;
    SelfCheck check_;
    Service service_;
    Fd listener_;
    std::list<Connection> connections_;  // a list: the kernel keeps pointers to them
    std::array<epoll_event, 1024> events_;
};

/// Asks for other events of a connection, and for those that hold already, anew. False when that
/// fails.
inline bool watch_again(int epoll, BareConnection& connection, std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &connection;
    return ::epoll_ctl(epoll, EPOLL_CTL_MOD, connection.socket.get(), &event) == 0;
}

/// So many reads serve one event before others get their turn.
inline constexpr int bare_reads_per_event = 64;

}  // namespace loopbench
