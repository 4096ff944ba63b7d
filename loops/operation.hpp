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

/// First in, first out; intrusive and circular, so that `next` is never null while queued.
class OperationQueue {
  public:
    OperationQueue() noexcept = default;
    OperationQueue(const OperationQueue&) = delete;
    OperationQueue& operator=(const OperationQueue&) = delete;

    bool empty() const noexcept { return last_ == nullptr; }

    /// Appends an operation that no queue holds.
    void push(Operation& operation) noexcept {
        assert(operation.next == nullptr && "an operation was posted twice");
        if (last_ == nullptr) {
            operation.next = &operation;
        } else {
            operation.next = last_->next;
            last_->next = &operation;
        }
        last_ = &operation;
    }

    /// Takes the oldest operation; the queue must not be empty.
    Operation& pop() noexcept {
        Operation& first = *last_->next;
        if (&first == last_) {
            last_ = nullptr;
        } else {
            last_->next = first.next;
        }
        first.next = nullptr;
        return first;
    }

    /// Takes everything that `other` holds, behind what is here.
    void append(OperationQueue& other) noexcept {
        if (other.last_ == nullptr) return;
        if (last_ != nullptr) {
            Operation* first = last_->next;
            last_->next = other.last_->next;
            other.last_->next = first;
        }
        last_ = other.last_;
        other.last_ = nullptr;
    }

    /// The newest operation, or null: where a pass that begins now will end.
    const Operation* last() const noexcept { return last_; }

    /// Takes one given operation out, wherever it stands: O(n), for rare uses such as destructors.
    bool remove(Operation& operation) noexcept {
        if (last_ == nullptr) return false;
        Operation* before = last_;
        do {
            if (before->next == &operation) {
                if (before == &operation) {
                    last_ = nullptr;
                } else {
                    before->next = operation.next;
                    if (last_ == &operation) last_ = before;
                }
                operation.next = nullptr;
                return true;
            }
            before = before->next;
        } while (before != last_);
        return false;
    }

  private:
    Operation* last_ = nullptr;  // last_->next is the first
};

}  // namespace loopbench
