#pragma once

#include <cassert>

namespace loopbench {

/// Something that a loop will run once: the node of the loop's intrusive queues.
///
/// The caller owns it and keeps it alive, and at its address, from the call that hands it over
/// until `function` has been entered; from then on the operation is the caller's again and may be
/// posted anew or destroyed, even from inside `function`. So nothing is allocated per operation.
/// User data lives in a class derived from it, which `function` casts back to.
struct Operation {
    /// Called on the loop's thread. Must not throw.
    using Function = void (*)(Operation&) noexcept;

    explicit Operation(Function f) noexcept : function(f) {}
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;
    ~Operation() { assert(next == nullptr && "an operation was destroyed while a loop holds it"); }

    Operation* next = nullptr;  ///< The queue's link; null exactly when no queue holds it.
    Function function;
};

/// First in, first out; intrusive. The last one's `next` points to a mark of all queues, so that
/// `next` is never null while queued.
class OperationQueue {
  public:
    OperationQueue() noexcept = default;
    OperationQueue(const OperationQueue&) = delete;
    OperationQueue& operator=(const OperationQueue&) = delete;

    bool empty() const noexcept { return first_ == &end_; }

    /// Appends an operation that no queue holds.
    void push(Operation& operation) noexcept {
        assert(operation.next == nullptr && "an operation was posted twice");
        operation.next = &end_;
        *tail_ = &operation;
        tail_ = &operation.next;
    }

    /// Takes the oldest operation; the queue must not be empty.
    Operation& pop() noexcept {
        Operation& first = *first_;
        first_ = first.next;
        if (empty()) tail_ = &first_;
        first.next = nullptr;
        return first;
    }

    /// Takes everything that `other` holds, behind what is here.
    void append(OperationQueue& other) noexcept {
        if (other.empty()) return;
        *tail_ = other.first_;
        tail_ = other.tail_;
        other.first_ = &end_;
        other.tail_ = &other.first_;
    }

    /// Takes one given operation out, wherever it stands: O(n), for rare uses such as destructors.
    bool remove(Operation& operation) noexcept {
        for (Operation** link = &first_; *link != &end_; link = &(*link)->next) {
            if (*link != &operation) continue;
            *link = operation.next;
            if (tail_ == &operation.next) tail_ = link;
            operation.next = nullptr;
            return true;
        }
        return false;
    }

  private:
    static inline Operation end_{nullptr};

    Operation* first_ = &end_;
    Operation** tail_ = &first_;  // where the next one is linked in
};

}  // namespace loopbench
