// The socket workloads straight against Boost.Asio: sessions that keep themselves alive by their
// handlers, as in its examples.

#include <algorithm>
#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "harness/address.hpp"
#include "loops/socket.hpp"
#include "workloads/intake.hpp"
#include "workloads/native/asio_host.hpp"
#include "workloads/offered.hpp"
#include "workloads/server.hpp"

namespace loopbench {
namespace {

using Protocol = boost::asio::generic::stream_protocol;
using Socket = Protocol::socket;
using ErrorCode = boost::system::error_code;

/// A listener and its connections. `Session` is made from (Socket, Session::State&, read_buffer),
/// derives from std::enable_shared_from_this, and has `start()` and `close()`; `Session::State`,
/// made from (const SocketParameters&, SelfCheck&), keeps what is common to all sessions, among it
/// the set of those that are `open`, and has `counters()`.
template <class Session>
class AsioServer final : public Workload {
  public:
    AsioServer(NativeAsioHost& host, const WorkloadSetup& setup)
        : host_(host),
          parameters_(push_parameters(setup.params, "native-asio")),
          address_(setup.listen),
          state_(parameters_, check_),
          acceptor_(host.context()) {}
    ~AsioServer() override { close_all(); }

    std::string set_up() override {
        const Endpoint wanted = listening_endpoint(address_);
        Fd listener;
        if (const int error = open_listener(wanted, parameters_.listen, listener)) {
            throw listen_error(address_, {error, std::system_category()});
        }
        endpoint_ = local_endpoint_of(listener.get());
        ErrorCode error;
        acceptor_.assign(Protocol(wanted.family(), 0), listener.get(), error);
        if (error) throw listen_error(address_, {error.value(), std::system_category()});
        listener.release();
        accept();
        return format_address(endpoint_.address(), endpoint_.length);
    }

    WorkloadCounters counters() const override {
        WorkloadCounters result = state_.counters();
        result.open_connections = state_.open.size();
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    void shut_down() override {
        close_all();
        remove_socket_path(endpoint_);
    }

  private:
    void close_all() {
        ErrorCode ignored;
        acceptor_.close(ignored);
        for (Session* session : state_.open) session->close();
        host_.run();  // until the last handler has let go of its session
    }

    void accept() {
        acceptor_.async_accept([this](const ErrorCode& error, Socket socket) {
            if (error == boost::asio::error::operation_aborted) return;
            if (error) {
                check_.fail("accept failed: " + error.message());
            } else {
                take(std::move(socket));
            }
            accept();
        });
    }

    void take(Socket socket) {
        // TCP connections have inherited the options; Unix ones do not.
        if (endpoint_.is_unix()) {
            const int error = apply(parameters_.listen.socket, socket.native_handle(), AF_UNIX);
            if (error != 0) check_.fail(std::system_category().message(error));
        }
        std::make_shared<Session>(std::move(socket), state_, parameters_.read_buffer)->start();
    }

    NativeAsioHost& host_;
    SocketParameters parameters_;
    std::string address_;
    Endpoint endpoint_;
    SelfCheck check_;
    typename Session::State state_;
    boost::asio::basic_socket_acceptor<Protocol> acceptor_;
};

class EchoSession : public std::enable_shared_from_this<EchoSession> {
  public:
    struct State {
        State(const SocketParameters& parameters, SelfCheck&) : size(parameters.size) {}
        WorkloadCounters counters() const noexcept {
            return {.operations = bytes / size,
                    .reads = reads,
                    .bytes = bytes,
                    .steady_connections = steady};
        }

        std::uint64_t size;
        std::uint64_t reads = 0;
        std::uint64_t bytes = 0;
        std::uint64_t steady = 0;
        std::set<EchoSession*> open;
    };

    EchoSession(Socket socket, State& state, std::size_t read_buffer)
        : socket_(std::move(socket)),
          state_(state),
          size_(read_buffer),
          buffer_(std::make_unique_for_overwrite<char[]>(size_)) {
        state_.open.insert(this);
    }
    ~EchoSession() {
        state_.open.erase(this);
        if (carried_data_) --state_.steady;
    }

    void start() { read(); }
    void close() {
        ErrorCode ignored;
        socket_.close(ignored);
    }

  private:
    void read() {
        socket_.async_read_some(
            boost::asio::buffer(buffer_.get(), size_),
            [this, self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
                if (!error) send_back(bytes);
            });
    }

    void send_back(std::size_t bytes) {
        ++state_.reads;
        state_.bytes += bytes;
        if (!std::exchange(carried_data_, true)) ++state_.steady;
        boost::asio::async_write(
            socket_, boost::asio::buffer(buffer_.get(), bytes),
            [this, self = shared_from_this()](const ErrorCode& error, std::size_t) {
                if (!error) read();
            });
    }

    Socket socket_;
    State& state_;
    std::size_t size_;
    std::unique_ptr<char[]> buffer_;
    bool carried_data_ = false;
};

class FaninSession : public std::enable_shared_from_this<FaninSession> {
  public:
    struct State {
        State(const SocketParameters& parameters, SelfCheck& check) : intake(parameters, check) {
            acknowledgements.fill(0x06);
        }
        WorkloadCounters counters() const { return intake.counters(); }

        Intake intake;
        std::array<char, 64> acknowledgements;
        FaninSession* acknowledged = nullptr;  // number 0
        std::uint64_t due = 0;
        bool writing = false;
        std::set<FaninSession*> open;
    };

    FaninSession(Socket socket, State& state, std::size_t read_buffer)
        : socket_(std::move(socket)),
          state_(state),
          sender_(state.intake),
          size_(read_buffer),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(size_)) {
        state_.open.insert(this);
    }
    ~FaninSession() {
        state_.open.erase(this);
        if (state_.acknowledged == this) state_.acknowledged = nullptr;
    }

    void start() { read(); }
    void close() {
        ErrorCode ignored;
        socket_.close(ignored);
    }

  private:
    void read() {
        socket_.async_read_some(
            boost::asio::buffer(buffer_.get(), size_),
            [this, self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
                if (error == boost::asio::error::eof) sender_.end();
                if (error) return leave();
                if (!sender_.receive({buffer_.get(), bytes})) return leave();
                if (!known_) become_known();
                state_.due += state_.intake.take_due();
                acknowledge(state_);
                read();
            });
    }

    /// It may be kept alive by an acknowledgement that is under way.
    void leave() {
        if (state_.acknowledged == this) state_.acknowledged = nullptr;
        close();
    }

    void become_known() {
        known_ = sender_.known();
        if (known_ && sender_.number() == 0) state_.acknowledged = this;
    }

    /// Sends what is due on connection number 0. If that is broken, reading from it will say so.
    static void acknowledge(State& state) {
        if (state.due == 0 || state.writing || state.acknowledged == nullptr) return;
        const auto count = std::min<std::uint64_t>(state.due, state.acknowledgements.size());
        state.due -= count;
        state.writing = true;
        boost::asio::async_write(state.acknowledged->socket_,
                                 boost::asio::buffer(state.acknowledgements.data(), count),
                                 [&state, self = state.acknowledged->shared_from_this()](
                                     const ErrorCode& error, std::size_t) {
                                     state.writing = false;
                                     if (!error) acknowledge(state);
                                 });
    }

    Socket socket_;
    State& state_;
    Sender sender_;
    std::size_t size_;
    std::unique_ptr<std::byte[]> buffer_;
    bool known_ = false;
};

}  // namespace

std::unique_ptr<Workload> make_native_asio_echo(NativeAsioHost& host, const WorkloadSetup& setup) {
    return std::make_unique<AsioServer<EchoSession>>(host, setup);
}

std::unique_ptr<Workload> make_native_asio_fanin(NativeAsioHost& host, const WorkloadSetup& setup) {
    return std::make_unique<AsioServer<FaninSession>>(host, setup);
}

}  // namespace loopbench
