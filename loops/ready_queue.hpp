#pragma once

#include "loops/operation.hpp"

namespace loopbench {

/// The queue of what is to run soon, for loops whose library has none that keeps the contract: runs
/// passes between two polls, and rations the completions inside the calls that start them.
class ReadyQueue {
  public:
    explicit ReadyQueue(unsigned poll_interval) noexcept
        : poll_interval_(poll_interval), immediate_left_(poll_interval) {}

    bool empty() const noexcept { return ready_.empty(); }
    void post(Operation& operation) noexcept { ready_.push(operation); }
    /// What the next pass will run, to be added to.
    OperationQueue& incoming() noexcept { return ready_; }

    /// Runs passes until nothing is left, a poll is due, or somebody says stop.
    void run_passes(const bool& stop_requested) noexcept {
        callbacks_ = 0;
        while (!ready_.empty() && !stop_requested && callbacks_ < poll_interval_) run_pass();
    }

    /// Runs the queue as it stands now.
    void run_pass() noexcept {
        pass_.append(ready_);
        while (!pass_.empty()) {
            Operation& operation = pass_.pop();
            ++callbacks_;
            complete(operation);
        }
    }

    /// Calls the function of an operation that has completed.
    void complete(Operation& operation) noexcept {
        begin_callback();
        operation.function(operation);
    }

    /// To be called before each callback into the owner's code.
    void begin_callback() noexcept { immediate_left_ = poll_interval_; }

    /// Whether one more operation may complete inside the call that starts it: at most
    /// `poll_interval` do, one after the other, inside one callback.
    bool may_complete_now() noexcept {
        if (immediate_left_ == 0) return false;
        --immediate_left_;
        ++callbacks_;
        return true;
    }

    /// Takes a posted operation back, if it is queued.
    void withdraw(Operation& operation) noexcept {
        if (operation.next == nullptr) return;
        if (!ready_.remove(operation)) pass_.remove(operation);
    }

    /// Gives everything back to its owners without running it.
    void drop() noexcept {
        while (!ready_.empty()) ready_.pop();
    }

  private:
    OperationQueue ready_;  // what the next pass will run
    OperationQueue pass_;   // what is left of the current one
    const unsigned poll_interval_;
    unsigned callbacks_ = 0;   // since the last poll
    unsigned immediate_left_;  // completions inside the call that starts them
};

}  // namespace loopbench
