#pragma once

// What the socket workloads share: a listener, its connections, and how both come to an end.

#include <fmt/format.h>

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>

#include "harness/address.hpp"
#include "loops/contract.hpp"
#include "workloads/bound.hpp"
#include "workloads/parameters.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// Makes the endpoint of an address, out of the way of which a dead server's socket has been moved.
/// Throws `WorkloadError`.
Endpoint listening_endpoint(const std::string& address);

/// The error for a `listen` that failed.
WorkloadError listen_error(const std::string& address, std::error_code error);

/// Removes the path of a Unix socket; nothing for TCP.
void remove_socket_path(const Endpoint& endpoint) noexcept;

/// A socket workload: accepts whoever comes, and leaves the bytes to the class `Connection`, which
/// is made from a `Server&`, is told to `start()` once connected, derives from `ServedConnection`
/// and names the class of the state that all its connections share as `Connection::State`, made
/// from (Loop&, const SocketParameters&, SelfCheck&).
template <class Loop, class Connection>
class Server final : public Workload {
  public:
    using State = typename Connection::State;

    Server(Loop& loop, const WorkloadSetup& setup)
        : loop_(loop),
          parameters_(socket_parameters(setup.params)),
          address_(setup.listen),
          state_(loop, parameters_, check_),
          listener_(loop),
          accept_(*this),
          close_(*this) {}

    std::string set_up() override {
        const Endpoint wanted = listening_endpoint(address_);
        if (const Result<> listening = listener_.listen(wanted, parameters_.listen); !listening) {
            throw listen_error(address_, listening.error());
        }
        endpoint_ = listener_.local_endpoint();
        accept_next();
        return format_address(endpoint_.address(), endpoint_.length);
    }

    WorkloadCounters counters() const override {
        WorkloadCounters result = state_.counters();
        result.open_connections = connections_.size() - (spare_ != nullptr ? 1 : 0);
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    void shut_down() override {
        shutting_down_ = true;
        listener_.close(close_);
        // Closing completes later, so that nobody leaves the list while it is walked. The one that
        // still waits for a client goes when its accept completes.
        for (Connection& connection : connections_) {
            if (&connection != spare_) connection.close();
        }
        while (!ended()) loop_.run();
        remove_socket_path(endpoint_);
    }

    Loop& loop() noexcept { return loop_; }
    const SocketParameters& parameters() const noexcept { return parameters_; }
    State& state() noexcept { return state_; }

    /// Destroys a connection that has ended.
    void release(Connection& connection) noexcept {
        connections_.erase(connection.place_);
        if (shutting_down_ && ended()) loop_.stop();
    }

  private:
    void accept_next() noexcept {
        for (;;) {
            spare_ = &connections_.emplace_back(*this);
            spare_->place_ = std::prev(connections_.end());
            if (listener_.accept(accept_, spare_->stream()) == Start::pending) return;
            if (!take_accepted()) return;
        }
    }

    void accepted() noexcept {
        if (take_accepted()) accept_next();
    }

    /// True when there may be more to accept.
    bool take_accepted() noexcept {
        Connection& connection = *spare_;
        spare_ = nullptr;
        if (accept_.result.ok()) {
            shutting_down_ ? connection.close() : connection.start();
            return !shutting_down_;
        }
        if (!accept_.result.cancelled()) {
            check_.fail("accept failed: " + accept_.result.error().message());
        }
        connections_.erase(connection.place_);
        return false;
    }

    void listener_closed() noexcept {
        listener_closed_ = true;
        if (ended()) loop_.stop();
    }

    bool ended() const noexcept { return listener_closed_ && connections_.empty(); }

    Loop& loop_;
    SocketParameters parameters_;
    std::string address_;
    Endpoint endpoint_;
    SelfCheck check_;
    State state_;
    std::list<Connection> connections_;  // a list: streams stay where they are
    Connection* spare_ = nullptr;        // waits for the next client
    typename Loop::Listener listener_;
    Bound<typename Loop::AcceptOperation, Server, &Server::accepted> accept_;
    Bound<typename Loop::CloseOperation, Server, &Server::listener_closed> close_;
    bool shutting_down_ = false;
    bool listener_closed_ = false;
};

/// A connection's stream and its end. `Connection` is the class derived from this one.
template <class Loop, class Connection>
class ServedConnection {
  public:
    using Host = Server<Loop, Connection>;

    explicit ServedConnection(Host& server)
        : server_(server), stream_(server.loop()), shutdown_(*this), close_(*this) {}

    typename Loop::Stream& stream() noexcept { return stream_; }

    /// Ends the connection: what is in flight completes as cancelled, then it is destroyed. More
    /// than one call is one.
    void close() noexcept {
        if (closing_) return;
        closing_ = true;
        stream_.close(close_);
    }

  protected:
    ~ServedConnection() = default;

    Host& server() noexcept { return server_; }
    auto& state() noexcept { return server_.state(); }

    /// Sends what is queued, then the end of file, then closes.
    void finish() noexcept {
        if (closing_) return;
        if (stream_.shutdown_write(shutdown_) == Start::done) close();
    }

    /// The connection is not destroyed before `unhold` has been called as well, once.
    void hold() noexcept { ++holders_; }
    void unhold() noexcept {
        if (--holders_ == 0) server_.release(static_cast<Connection&>(*this));
    }

    /// True the first time it is asked.
    bool first_data() noexcept {
        if (carried_data_) return false;
        carried_data_ = true;
        return true;
    }
    bool carried_data() const noexcept { return carried_data_; }

  private:
    friend Host;

    Host& server_;
    typename Loop::Stream stream_;
    Bound<typename Loop::ShutdownOperation, ServedConnection, &ServedConnection::close> shutdown_;
    Bound<typename Loop::CloseOperation, ServedConnection, &ServedConnection::unhold> close_;
    typename std::list<Connection>::iterator place_;
    unsigned holders_ = 1;  // the close
    bool closing_ = false;
    bool carried_data_ = false;
};

}  // namespace loopbench
