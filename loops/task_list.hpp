#pragma once

#include <functional>
#include <utility>

#include "loops/frame_pool.hpp"
#include "loops/result.hpp"

namespace loopbench {

/// A spawned task as its loop sees it: a link in the loop's list, and a way to cancel it.
class ListedTask {
  public:
    ListedTask() noexcept = default;
    ListedTask(const ListedTask&) = delete;
    ListedTask& operator=(const ListedTask&) = delete;

    /// Requests cancellation; see sentence 6 of the contract.
    virtual void cancel() noexcept = 0;

  protected:
    virtual ~ListedTask() = default;

  private:
    friend class TaskList;
    ListedTask* previous_ = nullptr;
    ListedTask* next_ = nullptr;
};

/// The tasks of a loop that have not finished, and where their unobserved failures go. Every loop
/// has one and calls `shut_down` first in its destructor.
class TaskList {
  public:
    using ErrorHandler = std::function<void(const Failure&)>;

    bool empty() const noexcept { return first_ == nullptr; }
    /// True once `shut_down` has begun: every await then ends cancelled.
    bool shutting_down() const noexcept { return shutting_down_; }

    void add(ListedTask& task) noexcept {
        task.next_ = first_;
        if (first_ != nullptr) first_->previous_ = &task;
        first_ = &task;
    }

    void remove(ListedTask& task) noexcept {
        (task.previous_ != nullptr ? task.previous_->next_ : first_) = task.next_;
        if (task.next_ != nullptr) task.next_->previous_ = task.previous_;
        task.previous_ = task.next_ = nullptr;
        if (first_ == nullptr && on_empty_) on_empty_();
    }

    /// Receives the failure of every task that nobody awaited; must not throw. Without one,
    /// failures are dropped.
    void set_error_handler(ErrorHandler handler) { on_error_ = std::move(handler); }
    void report(const Failure& failure) noexcept {
        if (on_error_) on_error_(failure);
    }

    /// Cancels every task, runs the loop until all have ended, and returns their memory.
    template <class Loop>
    void shut_down(Loop& loop) {
        shutting_down_ = true;
        for (ListedTask* task = first_; task != nullptr; task = task->next_) task->cancel();
        on_empty_ = [&loop] { loop.stop(); };
        while (!empty()) loop.run();  // a pending stop may end a run early
        on_empty_ = nullptr;
        FramePool::trim();
    }

  private:
    ListedTask* first_ = nullptr;
    bool shutting_down_ = false;
    ErrorHandler on_error_;
    std::function<void()> on_empty_;
};

}  // namespace loopbench
