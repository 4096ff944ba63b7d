#pragma once

#include <algorithm>
#include <bit>
#include <string>

#include "loops/contract.hpp"
#include "loops/loop_core.hpp"
#include "loops/uring/ring_socket.hpp"

namespace loopbench {

/// The hand-written io_uring loop: one `io_uring_enter` a turn, which submits what the turn asked
/// for, fetches what has happened, and waits with the next deadline. See contract.hpp for what it
/// promises. It is made, run and destroyed on one thread: the kernel insists.
class UringLoop : public LoopCore {
  public:
    class Readiness;
    class Stream;
    class Listener;

    struct ReadOperation : ResultOperation<std::size_t> {
        using ResultOperation::ResultOperation;
        std::span<std::byte> buffer;
    };
    struct WriteOperation : ResultOperation<std::size_t> {
        using ResultOperation::ResultOperation;
        std::span<const std::byte> bytes;
        std::size_t sent = 0;
    };
    struct ConnectOperation : ResultOperation<void> {
        using ResultOperation::ResultOperation;
    };
    struct AcceptOperation : ResultOperation<void> {
        using ResultOperation::ResultOperation;
        Stream* stream = nullptr;
    };
    struct ShutdownOperation : ResultOperation<void> {
        using ResultOperation::ResultOperation;
    };
    struct CloseOperation : ResultOperation<void> {
        using ResultOperation::ResultOperation;
    };

    explicit UringLoop(const LoopOptions& options)
        : LoopCore(options),
          ring_(number(options, "entries", default_entries)),
          buffers_(ring_, number(options, "buffers", default_buffers), options.read_buffer) {
        watch_wake_ups();
    }
    ~UringLoop() {
        tasks().shut_down(*this);
        // What was closed or destroyed in the last turn is still in the kernel.
        while (sockets_ > 0) poll(true);
        FramePool::trim();
    }

    static Availability availability();
    static LoopDescription describe();

    void run() {
        run_turns([this](bool may_wait) { poll(may_wait); });
    }

  private:
    static constexpr unsigned default_entries = 256;
    static constexpr unsigned default_buffers = 1024;

    /// An arm key with a number, a power of two.
    static unsigned number(const LoopOptions& options, const char* key, unsigned otherwise) {
        const auto found = options.keys.find(key);
        if (found == options.keys.end()) return otherwise;
        return std::bit_ceil(static_cast<unsigned>(std::stoul(found->second)));
    }

    void poll(bool may_wait) {
        ring_.enter(may_wait ? prepare_to_wait() : Duration(0));
        after_wait();
        ring_.dispatch([this] { begin_callback(); });
    }

    RingSocket* open_socket_block(Fd descriptor, RingSocket::Owner& owner) {
        return new RingSocket(ring_, buffers_, sockets_, std::move(descriptor), owner);
    }

    /// The wake-up eventfd is polled by one multishot request, and never read: each write completes
    /// it anew.
    void watch_wake_ups() noexcept {
        ::io_uring_prep_poll_multishot(ring_.prepare(&wake_), wake_descriptor(), POLLIN);
    }
    struct WakeRequest final : RingRequest {
        explicit WakeRequest(UringLoop& its_loop) noexcept
            : RingRequest(&completed), loop(its_loop) {}
        static void completed(RingRequest& request, int, unsigned flags) noexcept {
            if ((flags & IORING_CQE_F_MORE) == 0) {
                static_cast<WakeRequest&>(request).loop.watch_wake_ups();
            }
        }
        UringLoop& loop;
    };

    std::size_t sockets_ = 0;
    Ring ring_;
    BufferRing buffers_;
    WakeRequest wake_{*this};
};

inline Availability UringLoop::availability() {
    try {
        UringLoop probe{LoopOptions{}};
        return {};
    } catch (const std::system_error& error) {
        Availability no{false, error.what(), ""};
        switch (error.code().value()) {
            case ENOSYS:
                no.remedy = "needs Linux 6.0 or later with io_uring built in";
                break;
            case EPERM:
                no.remedy =
                    "io_uring is switched off: see sysctl kernel.io_uring_disabled, or the seccomp "
                    "filter of the container (for Docker: --security-opt seccomp=unconfined)";
                break;
            case ENOMEM:
                no.remedy = "raise the locked-memory limit (ulimit -l)";
                break;
            default:
                no.remedy = "needs Linux 6.0 or later";
                break;
        }
        return no;
    }
}

inline LoopDescription UringLoop::describe() {
    LoopDescription description;
    description.name = "uring";
    description.library = "loopbench";
    description.version = LOOPBENCH_VERSION;
    for (const char* operation :
         {"post", "timer", "wakeup", "readiness", "push", "pull", "listen", "connect"}) {
        description.operations.emplace_back(operation, Support::native);
    }
    std::string mode = "unavailable";
    try {
        Ring probe(8);
        mode = probe.deferred() ? "single issuer, deferred task work" : "plain";
    } catch (const std::system_error&) {
    }
    description.notes = {
        {"ring", mode + ", one enter a turn with the next deadline in it"},
        {"read", "push: multishot receive into provided buffers; pull: receive into the caller's"},
        {"write", "now, by plain send; what the kernel does not take is queued and polled for"},
        {"accept", "accept4 until EAGAIN, then a poll request"},
        {"timers", "hierarchical wheel with exact deadlines"}};
    description.timer_resolution = Duration(1);
    description.equal_deadlines_in_order = true;
    description.controllable_clock = true;
    return description;
}

}  // namespace loopbench

#include "loops/uring/listener.hpp"
#include "loops/uring/readiness.hpp"
#include "loops/uring/stream.hpp"
