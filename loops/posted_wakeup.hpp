#pragma once

#include <atomic>

#include "loops/operation.hpp"

namespace loopbench {

/// A wake-up that is an operation posted from any thread: see LoopWakeup in the contract.
///
/// `Loop` gives `post_threadsafe(Operation&)` and, on its own thread, `recall(Operation&)`, which
/// takes one back that was posted so and has not run.
template <class Loop>
class PostedWakeup : private Operation {
  public:
    using Function = void (*)(PostedWakeup&) noexcept;

    PostedWakeup(Loop& loop, Function on_wakeup) noexcept
        : Operation(&run), loop_(loop), on_wakeup_(on_wakeup) {}
    ~PostedWakeup() {
        if (queued_.load(std::memory_order_acquire)) loop_.recall(*this);
    }

    void notify() noexcept {
        if (!queued_.exchange(true, std::memory_order_acq_rel)) loop_.post_threadsafe(*this);
    }

  private:
    static void run(Operation& operation) noexcept {
        auto& wakeup = static_cast<PostedWakeup&>(operation);
        // First: what is notified from here on must lead to another call.
        wakeup.queued_.store(false, std::memory_order_seq_cst);
        wakeup.on_wakeup_(wakeup);
    }

    Loop& loop_;
    Function on_wakeup_;
    std::atomic<bool> queued_{false};
};

}  // namespace loopbench
