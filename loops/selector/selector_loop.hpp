#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "loops/contract.hpp"
#include "loops/loop_core.hpp"
#include "loops/selector/descriptor.hpp"
#include "loops/stream_operations.hpp"

namespace loopbench {

/// The hand-written readiness loop over a selector: `EpollSelector`, `PollSelector` or
/// `SelectSelector`, which hold kernel state only. What the loop does with a ready descriptor is
/// the same for all; see contract.hpp for what it promises.
template <class Selector>
class SelectorLoop : public LoopCore {
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

    explicit SelectorLoop(const LoopOptions& options)
        : LoopCore(options),
          read_buffer_(std::make_unique_for_overwrite<std::byte[]>(options.read_buffer)),
          read_buffer_size_(options.read_buffer) {
        wake_.fd = wake_descriptor();
        if (const int error = selector_.add(wake_, Interest::readable)) {
            throw std::system_error(error, std::system_category(), "watching the wake-up eventfd");
        }
    }
    ~SelectorLoop() {
        tasks().shut_down(*this);
        selector_.remove_closing(wake_);
    }

    static Availability availability();
    static LoopDescription describe();

    void run() {
        run_turns([this](bool may_wait) { poll(may_wait); });
    }

  private:
    void poll(bool may_wait) {
        if (may_wait) {
            selector_.wait(prepare_to_wait());
        } else if (watched_ > 0) {
            selector_.wait(Duration(0));
        }  // else the kernel knows of nothing but the wake-up, and `after_wait` looks for its cause
        after_wait();
        Ready ready;
        while (Descriptor* descriptor = selector_.next(ready)) {
            begin_callback();
            descriptor->on_ready(*descriptor, ready);
        }
    }

    /// The wake-up has done its work by ending the wait. An edge needs no reading: the counter may
    /// grow, and each write is an edge of its own. A level must be taken down.
    static void on_wake(Descriptor& descriptor, Ready) noexcept {
        if constexpr (!Selector::edge_triggered) {
            std::uint64_t count = 0;
            [[maybe_unused]] const auto got = ::read(descriptor.fd, &count, sizeof count);
        }
    }

    /// Begins to watch; gives 0 or an errno. `level` asks for level-triggered events.
    int add(Descriptor& descriptor, Interest wanted, bool level = false) noexcept {
        const int error = selector_.add(descriptor, wanted, level);
        if (error == 0) ++watched_;
        return error;
    }
    /// Ends watching a descriptor that stays open.
    void remove(Descriptor& descriptor) noexcept {
        --watched_;
        selector_.remove(descriptor);
    }
    /// Ends watching one that is about to be closed.
    void remove_closing(Descriptor& descriptor) noexcept {
        --watched_;
        selector_.remove_closing(descriptor);
    }

    /// Sees to it that `wanted` is watched for. Edges cost nothing while nobody wants them, so with
    /// them reading stays watched for once it was.
    int watch(Descriptor& descriptor, Interest wanted) noexcept {
        if constexpr (Selector::edge_triggered) wanted = wanted | Interest::readable;
        if (wanted == descriptor.interest) return 0;
        return selector_.modify(descriptor, wanted);
    }

    Selector selector_;
    std::unique_ptr<std::byte[]> read_buffer_;  // lent to one `data_received` at a time
    std::size_t read_buffer_size_;
    Descriptor wake_{&on_wake};
    std::size_t watched_ = 0;  // descriptors, the wake-up not counted
};

template <class Selector>
Availability SelectorLoop<Selector>::availability() {
    try {
        SelectorLoop probe{LoopOptions{}};
        return {};
    } catch (const std::system_error& error) {
        return {false, std::string("setting up failed: ") + error.what(),
                "raise the limit on open descriptors (ulimit -n), or see what the message says"};
    }
}

template <class Selector>
LoopDescription SelectorLoop<Selector>::describe() {
    LoopDescription description;
    description.name = Selector::name;
    description.library = "loopbench";
    description.version = LOOPBENCH_VERSION;
    for (const char* operation :
         {"post", "timer", "wakeup", "readiness", "push", "pull", "listen", "connect"}) {
        description.operations.emplace_back(operation, Support::native);
    }
    description.notes = {
        {"trigger", Selector::edge_triggered ? "edge, registered once" : "level"},
        {"read", "until a short read; one buffer lent by the loop, at most 16 reads an event"},
        {"write", "now; what the kernel does not take is queued, and writing watched for"},
        {"accept", "accept4 until EAGAIN while somebody accepts"},
        {"timers", "hierarchical wheel with exact deadlines"}};
    description.timer_resolution = Duration(1);
    description.equal_deadlines_in_order = true;
    description.controllable_clock = true;
    description.descriptor_limit = Selector::descriptor_limit();
    return description;
}

}  // namespace loopbench

#include "loops/selector/listener.hpp"
#include "loops/selector/readiness.hpp"
#include "loops/selector/stream.hpp"
