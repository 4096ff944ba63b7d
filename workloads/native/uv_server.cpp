// The socket workloads straight against libuv.

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "harness/address.hpp"
#include "loops/socket.hpp"
#include "workloads/intake.hpp"
#include "workloads/native/uv_host.hpp"
#include "workloads/offered.hpp"
#include "workloads/server.hpp"

namespace loopbench {
namespace {

/// A TCP socket or a Unix one.
union StreamHandle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;

    void init(uv_loop_t* loop, bool is_unix) noexcept {
        // Neither can fail without a socket.
        is_unix ? uv_pipe_init(loop, &pipe, 0) : uv_tcp_init(loop, &tcp);
    }
    int descriptor() const noexcept {
        uv_os_fd_t result = -1;
        uv_fileno(&any, &result);
        return result;
    }
};

struct UvConnection {
    StreamHandle handle;
    void (*written)(UvConnection&, int status) noexcept = nullptr;  ///< to be told of a uv_write
};

/// A listener and its connections. A class `Service` says what happens on a connection; it names
/// its `Connection`, which derives from UvConnection and is made from a Service&, and gives
///  - Service(const SocketParameters&, SelfCheck&),
///  - bool received(Connection&, std::span<std::byte>), false when the connection is over;
///  - void ended(Connection&), at its end of file; and counters().
template <class Service>
class UvServer final : public Workload {
  public:
    UvServer(NativeUvHost& host, const WorkloadSetup& setup)
        : host_(host),
          parameters_(push_parameters(setup.params, "native-uv")),
          address_(setup.listen),
          service_(parameters_, check_),
          buffer_(std::make_unique_for_overwrite<char[]>(parameters_.read_buffer)) {}

    ~UvServer() override { close_all(); }

    std::string set_up() override {
        const Endpoint wanted = listening_endpoint(address_);
        is_unix_ = wanted.is_unix();
        listener_.init(host_.loop(), is_unix_);
        listener_.any.data = this;
        initialised_ = true;
        if (const int status = listen(wanted); status < 0) {
            throw listen_error(address_, {-status, std::system_category()});
        }
        const Endpoint endpoint = local_endpoint_of(listener_.descriptor());
        return format_address(endpoint.address(), endpoint.length);
    }

    WorkloadCounters counters() const override {
        WorkloadCounters result = service_.counters();
        result.open_connections = connections_.size();
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    void shut_down() override { close_all(); }

  private:
    struct Connection : Service::Connection {
        explicit Connection(UvServer& its_server)
            : Service::Connection(its_server.service_), server(its_server) {}
        UvServer& server;
        typename std::list<Connection>::iterator place;
    };

    int listen(const Endpoint& wanted) noexcept {
        // libuv removes the path itself, when the handle is closed.
        const int status = is_unix_ ? uv_pipe_bind(&listener_.pipe, wanted.unix_path())
                                    : uv_tcp_bind(&listener_.tcp, wanted.address(), 0);
        if (status < 0) return status;
        // The accepted sockets inherit them.
        if (!is_unix_) {
            const int error =
                apply(parameters_.listen.socket, listener_.descriptor(), wanted.family());
            if (error != 0) return -error;
        }
        return uv_listen(&listener_.stream, parameters_.listen.backlog,
                         [](uv_stream_t* listener, int connected) {
                             auto& server = *static_cast<UvServer*>(listener->data);
                             if (connected == 0) server.accept();
                         });
    }

    void accept() noexcept {
        Connection& connection = connections_.emplace_back(*this);
        connection.place = std::prev(connections_.end());
        connection.handle.init(host_.loop(), is_unix_);
        connection.handle.any.data = static_cast<UvConnection*>(&connection);
        connection.written = &after_write;
        uv_stream_t* const stream = &connection.handle.stream;
        int status = uv_accept(&listener_.stream, stream);
        if (status == 0 && is_unix_) {
            const int socket = connection.handle.descriptor();
            status = -apply(parameters_.listen.socket, socket, AF_UNIX);
        }
        if (status == 0) status = uv_read_start(stream, lend_buffer, on_read);
        if (status == 0) return;
        check_.fail(std::string("accept failed: ") + uv_strerror(status));
        close(connection);
    }

    static Connection& connection_of(uv_handle_t* handle) noexcept {
        return static_cast<Connection&>(*static_cast<UvConnection*>(handle->data));
    }

    static void lend_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
        UvServer& server = connection_of(handle).server;
        *buffer = uv_buf_init(server.buffer_.get(),
                              static_cast<unsigned>(server.parameters_.read_buffer));
    }

    static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
        Connection& connection = connection_of(reinterpret_cast<uv_handle_t*>(stream));
        Service& service = connection.server.service_;
        if (count > 0) {
            const auto bytes = static_cast<std::size_t>(count);
            const std::span data(reinterpret_cast<std::byte*>(buffer->base), bytes);
            if (!service.received(connection, data)) close(connection);
        } else if (count == UV_EOF) {
            service.ended(connection);
            close(connection);
        } else if (count < 0) {
            close(connection);
        }
    }

    /// The service has stopped reading because of this write.
    static void after_write(UvConnection& any, int status) noexcept {
        if (uv_is_closing(&any.handle.any)) return;
        if (status == 0) status = uv_read_start(&any.handle.stream, lend_buffer, on_read);
        if (status < 0) close(any);
    }

    static void close(UvConnection& any) noexcept {
        if (uv_is_closing(&any.handle.any)) return;
        uv_close(&any.handle.any, [](uv_handle_t* handle) {
            Connection& connection = connection_of(handle);
            connection.server.connections_.erase(connection.place);
        });
    }

    /// Runs the loop, on which nothing but this may be active.
    void close_all() noexcept {
        if (!std::exchange(initialised_, false)) return;
        for (Connection& connection : connections_) close(connection);
        uv_close(&listener_.any, nullptr);
        host_.finish_closing();
    }

    NativeUvHost& host_;
    SocketParameters parameters_;
    std::string address_;
    SelfCheck check_;
    Service service_;
    std::unique_ptr<char[]> buffer_;  // of all connections
    StreamHandle listener_;
    std::list<Connection> connections_;  // a list: handles stay where they are
    bool is_unix_ = false;
    bool initialised_ = false;
};

/// A write of bytes that libuv could not send at once, with a copy of them.
struct PendingWrite {
    uv_write_t request;
    std::unique_ptr<char[]> bytes;
};

class UvEcho {
  public:
    struct Connection : UvConnection {
        explicit Connection(UvEcho& its_echo) noexcept : echo(its_echo) {}
        ~Connection() {
            if (carried_data) --echo.steady_;
        }
        UvEcho& echo;
        bool carried_data = false;
    };

    UvEcho(const SocketParameters& parameters, SelfCheck&) noexcept : size_(parameters.size) {}

    WorkloadCounters counters() const noexcept {
        return {.operations = bytes_ / size_,
                .reads = reads_,
                .bytes = bytes_,
                .steady_connections = steady_};
    }

    /// False when the connection is over.
    bool received(Connection& connection, std::span<std::byte> data) noexcept {
        ++reads_;
        bytes_ += data.size();
        if (!std::exchange(connection.carried_data, true)) ++steady_;
        auto* const bytes = reinterpret_cast<char*>(data.data());
        const uv_buf_t buffer = uv_buf_init(bytes, static_cast<unsigned>(data.size()));
        const int sent = uv_try_write(&connection.handle.stream, &buffer, 1);
        if (sent == static_cast<int>(data.size())) return true;
        if (sent < 0 && sent != UV_EAGAIN) return false;
        return write_rest(connection, data.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 0));
    }

    void ended(Connection&) noexcept {}

  private:
    /// A client that does not read its echo is not read from: not before this has been written.
    static bool write_rest(Connection& connection, std::span<const std::byte> rest) noexcept {
        auto pending = std::make_unique<PendingWrite>();
        pending->bytes = std::make_unique_for_overwrite<char[]>(rest.size());
        std::memcpy(pending->bytes.get(), rest.data(), rest.size());
        const uv_buf_t buffer =
            uv_buf_init(pending->bytes.get(), static_cast<unsigned>(rest.size()));
        pending->request.data = pending.get();
        uv_stream_t* const stream = &connection.handle.stream;
        if (uv_write(&pending->request, stream, &buffer, 1, on_written) < 0) return false;
        static_cast<void>(pending.release());  // on_written frees it
        uv_read_stop(stream);
        return true;
    }

    static void on_written(uv_write_t* request, int status) noexcept {
        const std::unique_ptr<PendingWrite> pending(static_cast<PendingWrite*>(request->data));
        auto& connection = *static_cast<UvConnection*>(request->handle->data);
        connection.written(connection, status);
    }

    std::uint64_t size_;
    std::uint64_t reads_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t steady_ = 0;
};

class UvFanin {
  public:
    struct Connection : UvConnection {
        explicit Connection(UvFanin& its_fanin) noexcept
            : fanin(its_fanin), sender(its_fanin.intake_) {}
        ~Connection() {
            if (fanin.acknowledged_ == this) fanin.acknowledged_ = nullptr;
        }
        UvFanin& fanin;
        Sender sender;
        bool known = false;
    };

    UvFanin(const SocketParameters& parameters, SelfCheck& check) : intake_(parameters, check) {
        bytes_.fill(0x06);
        request_.data = this;
    }

    WorkloadCounters counters() const { return intake_.counters(); }

    bool received(Connection& connection, std::span<std::byte> data) noexcept {
        if (!connection.sender.receive(data)) return false;
        if (!connection.known && connection.sender.known()) {
            connection.known = true;
            if (connection.sender.number() == 0) acknowledged_ = &connection;
        }
        due_ += intake_.take_due();
        acknowledge();
        return true;
    }

    void ended(Connection& connection) noexcept { connection.sender.end(); }

  private:
    /// Sends what is due on connection number 0. If that is broken, reading from it will say so.
    void acknowledge() noexcept {
        while (due_ > 0 && !writing_ && acknowledged_ != nullptr) {
            uv_stream_t* const stream = &acknowledged_->handle.stream;
            if (uv_is_closing(&acknowledged_->handle.any)) return;
            const auto count = std::min<std::uint64_t>(due_, bytes_.size());
            const uv_buf_t buffer = uv_buf_init(bytes_.data(), static_cast<unsigned>(count));
            const int sent = uv_try_write(stream, &buffer, 1);
            if (sent > 0) {
                due_ -= static_cast<std::uint64_t>(sent);
            } else if (sent != UV_EAGAIN ||
                       uv_write(&request_, stream, &buffer, 1, on_written) < 0) {
                return;
            } else {
                due_ -= count;
                writing_ = true;
            }
        }
    }

    static void on_written(uv_write_t* request, int status) noexcept {
        UvFanin& fanin = *static_cast<UvFanin*>(request->data);
        fanin.writing_ = false;
        if (status == 0) fanin.acknowledge();
    }

    Intake intake_;
    std::array<char, 64> bytes_;
    uv_write_t request_{};
    Connection* acknowledged_ = nullptr;  // number 0
    std::uint64_t due_ = 0;
    bool writing_ = false;
};

}  // namespace

std::unique_ptr<Workload> make_native_uv_echo(NativeUvHost& host, const WorkloadSetup& setup) {
    return std::make_unique<UvServer<UvEcho>>(host, setup);
}

std::unique_ptr<Workload> make_native_uv_fanin(NativeUvHost& host, const WorkloadSetup& setup) {
    return std::make_unique<UvServer<UvFanin>>(host, setup);
}

}  // namespace loopbench
