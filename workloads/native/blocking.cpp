#include "workloads/native/blocking.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

#include "harness/address.hpp"
#include "loops/fd.hpp"
#include "loops/socket.hpp"
#include "workloads/offered.hpp"
#include "workloads/server.hpp"

namespace loopbench {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void set_alarm(suseconds_t period_us) noexcept {
    const itimerval period{{0, period_us}, {0, period_us}};
    ::setitimer(ITIMER_REAL, &period, nullptr);
}

/// A signal that arrives between the look at `interrupted` and the system call that blocks would
/// come to nothing, so it is repeated by an alarm until `run` has seen it.
void interrupt(int) {
    interrupted = 1;
    set_alarm(1000);
}

void handle(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;  // without SA_RESTART
    if (::sigaction(signal, &action, nullptr) != 0) {
        throw std::system_error(errno, std::system_category(), "sigaction");
    }
}

/// Sends back what its one client sends. Another one is accepted when that one has gone.
class BlockingEcho final : public Workload, private BlockingHost::Worker {
  public:
    BlockingEcho(BlockingHost& host, const WorkloadSetup& setup)
        : host_(host),
          parameters_(push_parameters(setup.params, "bare-blocking")),
          address_(setup.listen),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(parameters_.read_buffer)) {
        if (parameters_.connections != 1) {
            ParameterReader::reject("connections", std::to_string(parameters_.connections),
                                    "1, since blocking calls serve one connection,");
        }
    }

    std::string set_up() override {
        const Endpoint wanted = listening_endpoint(address_);
        int error = open_listener(wanted, parameters_.listen, listener_);
        if (error == 0 && ::fcntl(listener_.get(), F_SETFL, 0) != 0) error = errno;
        if (error != 0) throw listen_error(address_, {error, std::system_category()});
        endpoint_ = local_endpoint_of(listener_.get());
        host_.set_worker(*this);
        return format_address(endpoint_.address(), endpoint_.length);
    }

    WorkloadCounters counters() const override {
        const bool steady = connection_ && carried_data_;
        return {.operations = bytes_ / parameters_.size,
                .reads = reads_,
                .bytes = bytes_,
                .open_connections = connection_ ? 1U : 0U,
                .steady_connections = steady ? 1U : 0U};
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    void shut_down() override {
        connection_.reset();
        listener_.reset();
        remove_socket_path(endpoint_);
    }

  private:
    void work() noexcept override {
        while (interrupted == 0) {
            if (!connection_) {
                accept();
            } else if (sent_ < received_) {
                send();
            } else {
                receive();
            }
        }
    }

    void accept() noexcept {
        connection_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection_) return;  // interrupted, or of a connection that is gone already
        carried_data_ = false;
        sent_ = received_ = 0;
        // TCP connections have inherited the options; Unix ones do not.
        if (!endpoint_.is_unix()) return;
        if (const int error = apply(parameters_.listen.socket, connection_.get(), AF_UNIX)) {
            check_.fail("accept failed: " + std::system_category().message(error));
        }
    }

    void receive() noexcept {
        const ssize_t got = ::recv(connection_.get(), buffer_.get(), parameters_.read_buffer, 0);
        if (got > 0) {
            received_ = static_cast<std::size_t>(got);
            sent_ = 0;
            ++reads_;
            bytes_ += received_;
            carried_data_ = true;
            host_.count_turn();
        } else if (got == 0 || errno != EINTR) {
            connection_.reset();
        }
    }

    void send() noexcept {
        const ssize_t sent =
            ::send(connection_.get(), buffer_.get() + sent_, received_ - sent_, MSG_NOSIGNAL);
        if (sent >= 0) {
            sent_ += static_cast<std::size_t>(sent);
        } else if (errno != EINTR) {
            connection_.reset();
        }
    }

    BlockingHost& host_;
    SocketParameters parameters_;
    std::string address_;
    Endpoint endpoint_;
    SelfCheck check_;
    Fd listener_;
    Fd connection_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t received_ = 0;  // bytes in the buffer
    std::size_t sent_ = 0;      // of which these were sent back
    std::uint64_t reads_ = 0;
    std::uint64_t bytes_ = 0;
    bool carried_data_ = false;
};

}  // namespace

BlockingHost::BlockingHost(const LoopOptions&) {
    handle(SIGIO, interrupt);
    handle(SIGALRM, interrupt);
}

BlockingHost::~BlockingHost() {
    set_alarm(0);
    for (const int signal : {SIGIO, SIGALRM}) std::signal(signal, SIG_IGN);
}

Result<> BlockingHost::Readiness::start(Interest) noexcept {
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (flags < 0 || ::fcntl(descriptor_, F_SETOWN, ::getpid()) != 0 ||
        ::fcntl(descriptor_, F_SETFL, flags | O_ASYNC) != 0) {
        return Failure::from_errno(errno);
    }
    host_.watch_ = this;
    return {};
}

void BlockingHost::Readiness::stop() noexcept {
    if (host_.watch_ != this) return;
    host_.watch_ = nullptr;
    ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) & ~O_ASYNC);
}

bool BlockingHost::has_input() const noexcept {
    pollfd control{watch_->descriptor_, POLLIN, 0};
    return ::poll(&control, 1, 0) > 0;
}

void BlockingHost::run() noexcept {
    assert(watch_ != nullptr && worker_ != nullptr);
    stopped_ = false;
    while (!stopped_) {
        set_alarm(0);
        interrupted = 0;
        // From here on, input is a signal; what came before is seen by looking.
        if (!has_input()) {
            worker_->work();
        } else {
            count_turn();
            watch_->function_(*watch_, Interest::readable);
        }
    }
}

LoopDescription BlockingHost::describe() {
    LoopDescription description;
    description.name = "bare-blocking";
    description.library = "Linux";
    description.version = LOOPBENCH_VERSION;
    description.operations = {{"push", Support::native}, {"listen", Support::native}};
    description.notes = {
        {"connections", "exactly one at a time"},
        {"turn", "a recv that brought something: there is no poll of the kernel"},
        {"api", "push only"},
        {"control", "input on the control channel is a signal, which ends the call that blocks"}};
    description.settable_poll_interval = false;
    return description;
}

std::unique_ptr<Workload> make_blocking_echo(BlockingHost& host, const WorkloadSetup& setup) {
    return std::make_unique<BlockingEcho>(host, setup);
}

}  // namespace loopbench
