#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <string>

#include "loops/contract.hpp"
#include "loops/loop_core.hpp"
#include "loops/stream_operations.hpp"
#include "loops/uring/probe.hpp"
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

    using ReadOperation = StreamRead;
    using WriteOperation = StreamWrite;
    using ConnectOperation = StreamConnect;
    using AcceptOperation = StreamAccept<Stream>;
    using ShutdownOperation = StreamShutdown;
    using CloseOperation = StreamClose;

    explicit UringLoop(const LoopOptions& options)
        : LoopCore(options),
          sends_by_request_(options.keys.contains("send") && options.keys.at("send") == "request"),
          ring_(number(options, "entries", default_entries), may_defer(options)),
          buffers_(ring_, number(options, "buffers", default_buffers), options.read_buffer) {
        watch_wake_ups();
    }
    ~UringLoop() {
        tasks().shut_down(*this);
        // What was closed or destroyed in the last turn is still in the kernel.
        while (sockets_ > 0) poll(true);
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
    static bool may_defer(const LoopOptions& options) {
        const auto found = options.keys.find("ring");
        return found == options.keys.end() || found->second != "plain";
    }

    void poll(bool may_wait) {
        ring_.enter(may_wait ? prepare_to_wait() : Duration(0));
        after_wait();
        ring_.dispatch([this] { begin_callback(); });
    }

    RingSocket* open_socket_block(Fd descriptor, RingSocket::Owner& owner) {
        return new RingSocket(ring_, buffers_, sockets_, std::move(descriptor), owner);
    }

    /// Bytes that had to be kept, in a buffer like those that the kernel fills: as many as fit.
    std::span<const std::byte> lend(std::span<const std::byte> kept) {
        if (lent_ == nullptr) {
            lent_ = std::make_unique_for_overwrite<std::byte[]>(buffers_.size());
        }
        const std::size_t size = std::min(kept.size(), buffers_.size());
        std::memcpy(lent_.get(), kept.data(), size);
        return {lent_.get(), size};
    }

    /// The wake-up eventfd is polled by one multishot request, and never read: each write completes
    /// it anew.
    void watch_wake_ups() noexcept {
        ::io_uring_prep_poll_multishot(ring_.prepare(&wake_), wake_descriptor(), POLLIN);
    }
    static std::string ring_mode();

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

    const bool sends_by_request_;
    std::size_t sockets_ = 0;  // blocks that the kernel may still refer to
    Ring ring_;
    BufferRing buffers_;
    std::unique_ptr<std::byte[]> lent_;
    WakeRequest wake_{*this};
};

/// What `describe` says of the rings that this kernel gives.
inline std::string UringLoop::ring_mode() {
    try {
        return Ring(8, true).deferred() ? "single issuer with deferred task work"
                                        : "plain, since this kernel cannot defer task work";
    } catch (const std::system_error&) {
        return "none to be had";
    }
}

inline Availability UringLoop::availability() {
    try {
        Ring ring(default_entries, true);
        BufferRing buffers(ring, 4, 64);
        try_multishot_receive(ring, buffers);
        return {};
    } catch (const std::system_error& error) {
        return {false, error.what(), remedy_for(error.code().value())};
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
    description.notes = {
        {"ring", ring_mode() +
                     ", one enter a turn with the next deadline in it; with deferred task "
                     "work one more for every 20 completions of a turn"},
        {"read", "push: multishot receive into provided buffers; pull: receive into the caller's"},
        {"write",
         "send=plain: now, by send(2); what the kernel does not take is queued and polled for; "
         "send=request: copied, and sent by one request at a time with the next enter"},
        {"accept", "multishot, while anybody accepts"},
        {"wakeup", "multishot poll of an eventfd that is never read"},
        {"timers", "hierarchical wheel with exact deadlines"}};
    description.timer_resolution = Duration(1);
    description.equal_deadlines_in_order = true;
    description.controllable_clock = true;
    description.keys = {
        {"send", {"plain", "request"}, "how bytes are sent"},
        {"ring", {"deferred", "plain"}, "single issuer with deferred task work, or neither"},
        {"entries", {"256", "2", "16", "64", "1024", "4096"}, "submission queue entries"},
        {"buffers",
         {"1024", "4", "16", "64", "256", "4096"},
         "provided receive buffers at the most; 64 at first"}};
    return description;
}

}  // namespace loopbench

#include "loops/uring/listener.hpp"
#include "loops/uring/readiness.hpp"
#include "loops/uring/stream.hpp"
