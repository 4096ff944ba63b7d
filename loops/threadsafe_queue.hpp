#pragma once

#include <atomic>
#include <cassert>

#include "loops/operation.hpp"

namespace loopbench {

/// Operations on their way from any thread to the loop's: a lock-free stack of many pushers, which
/// its one consumer takes whole and turns round, so that what one thread pushed stays in order.
class ThreadsafeQueue {
  public:
    /// From any thread. True when it was empty: only then has the consumer to be woken, because
    /// whoever pushed first has done so already.
    bool push(Operation& operation) noexcept {
        assert(operation.next == nullptr && "an operation was posted twice");
        Operation* top = top_.load(std::memory_order_relaxed);
        do {
            // The lowest one points to itself: `next` is null exactly when no queue holds it.
            operation.next = top != nullptr ? top : &operation;
        } while (!top_.compare_exchange_weak(top, &operation, std::memory_order_acq_rel,
                                             std::memory_order_relaxed));
        return top == nullptr;
    }

    /// On the loop's thread: moves everything behind what `queue` holds, oldest first.
    void drain_into(OperationQueue& queue) noexcept {
        Operation* operation = top_.exchange(nullptr, std::memory_order_acq_rel);
        Operation* newer = nullptr;
        while (operation != nullptr) {
            Operation* older = operation->next != operation ? operation->next : nullptr;
            operation->next = newer;
            newer = operation;
            operation = older;
        }
        while (newer != nullptr) {
            Operation* next = newer->next;
            newer->next = nullptr;
            queue.push(*newer);
            newer = next;
        }
    }

  private:
    std::atomic<Operation*> top_{nullptr};
};

}  // namespace loopbench
