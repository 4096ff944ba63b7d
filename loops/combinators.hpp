#pragma once

// Tasks made of tasks: all of several, one against the clock, and one as the purpose of a run.

#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "loops/awaitables.hpp"
#include "loops/task.hpp"

namespace loopbench {

namespace detail {

/// Waits until a number of spawned tasks are done. The first failure in time is remembered.
class AllDone : private Wait {
  public:
    bool await_ready() const noexcept { return remaining_ == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        context_ = &waiting.promise().context();
        waiting_ = waiting;
        context_->begin_wait(*this);
        if (context_->cancel_requested()) cancel_wait();
    }

  protected:
    explicit AllDone(std::size_t tasks) noexcept : remaining_(tasks) {}
    ~AllDone() = default;

    virtual void cancel_all() noexcept = 0;

    /// One of them is done, with this result.
    template <class T>
    void one_done(const Result<T>& result) noexcept {
        if (!result.ok() && !first_failure_) first_failure_ = result.failure();
        if (--remaining_ > 0) return;
        context_->end_wait();
        waiting_.resume();
    }

    /// The failure of them all, if there is one; a cancel that came through is taken.
    std::optional<Failure> failure() noexcept {
        if (first_failure_ && first_failure_->outcome() == Outcome::cancelled && context_) {
            context_->take_cancel();
        }
        return std::move(first_failure_);
    }

    /// Watches one task and keeps its result.
    template <class T, class Loop>
    struct Member final : TaskObserver {
        Member(AllDone& all, Spawned<T, Loop> task) noexcept
            : owner(all), spawned(std::move(task)) {
            spawned.observe(this);
        }
        void task_finished() noexcept override {
            result = spawned.result();
            owner.one_done(result);
        }
        AllDone& owner;
        Spawned<T, Loop> spawned;
        Result<T> result = Failure::cancelled();
    };

  private:
    void cancel_wait() noexcept override { cancel_all(); }

    std::size_t remaining_;
    std::optional<Failure> first_failure_;
    TaskContext* context_ = nullptr;
    std::coroutine_handle<> waiting_;
};

template <class Loop, class... Ts>
class AllOfTuple final : public AllDone {
  public:
    AllOfTuple(Loop& loop, Task<Ts>... tasks)
        : AllDone(sizeof...(Ts)), members_(Emplace<Ts>{*this, loop, tasks}...) {}
    AllOfTuple(const AllOfTuple&) = delete;

    Result<std::tuple<Ts...>> await_resume() {
        if (auto failed = failure()) return *std::move(failed);
        return std::apply(
            [](auto&... members) { return std::tuple<Ts...>(std::move(*members.result)...); },
            members_);
    }

  private:
    /// Makes a member in its place in the tuple: members do not move.
    template <class T>
    struct Emplace {
        operator Member<T, Loop>() { return {all, spawn(loop, std::move(task))}; }
        AllDone& all;
        Loop& loop;
        Task<T>& task;
    };

    void cancel_all() noexcept override {
        std::apply([](auto&... members) { (members.spawned.cancel(), ...); }, members_);
    }

    std::tuple<Member<Ts, Loop>...> members_;
};

template <class Loop, class T>
class AllOfVector final : public AllDone {
  public:
    AllOfVector(Loop& loop, std::vector<Task<T>> tasks) : AllDone(tasks.size()) {
        members_.reserve(tasks.size());
        for (Task<T>& task : tasks) {
            members_.push_back(
                std::make_unique<Member<T, Loop>>(*this, spawn(loop, std::move(task))));
        }
    }
    AllOfVector(const AllOfVector&) = delete;

    Result<std::vector<T>> await_resume() {
        if (auto failed = failure()) return *std::move(failed);
        std::vector<T> values;
        values.reserve(members_.size());
        for (auto& member : members_) values.push_back(std::move(*member->result));
        return values;
    }

  private:
    void cancel_all() noexcept override {
        for (auto& member : members_) member->spawned.cancel();
    }

    std::vector<std::unique_ptr<Member<T, Loop>>> members_;
};

template <class Loop, class T>
class TimeoutAwaiter final : private Wait, private TaskObserver {
  public:
    TimeoutAwaiter(Loop& loop, Duration limit, Task<T> task) noexcept
        : loop_(loop), limit_(limit), task_(std::move(task)), timer_(loop, *this) {}
    TimeoutAwaiter(const TimeoutAwaiter&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        outer_ = &waiting.promise().context();
        waiting_ = waiting;
        auto& promise = task_.handle().promise();
        promise.set_context(inner_);
        if (outer_->cancel_requested()) inner_.cancel();
        timer_.start_after(limit_);
        task_.handle().resume();
        if (task_.handle().done()) {
            timer_.cancel();
            return false;
        }
        promise.set_observer(this);
        outer_->begin_wait(*this);
        return true;
    }

    Result<T> await_resume() noexcept {
        Result<T> result = std::move(task_.handle().promise().result());
        if (!result.cancelled()) return result;
        if (outer_->take_cancel()) return result;  // beats a timeout of the same turn
        if (expired_) return Failure::timed_out();
        return result;
    }

  private:
    struct Timer final : Loop::Timer {
        Timer(Loop& loop, TimeoutAwaiter& owner) noexcept
            : Loop::Timer(loop, &fired), awaiter(owner) {}
        static void fired(typename Loop::Timer& timer) noexcept {
            TimeoutAwaiter& awaiter = static_cast<Timer&>(timer).awaiter;
            awaiter.expired_ = true;
            awaiter.inner_.cancel();
        }
        TimeoutAwaiter& awaiter;
    };

    void cancel_wait() noexcept override { inner_.cancel(); }
    void task_finished() noexcept override {
        timer_.cancel();
        outer_->end_wait();
        waiting_.resume();
    }

    Loop& loop_;
    Duration limit_;
    Task<T> task_;
    TaskContext inner_;
    TaskContext* outer_ = nullptr;
    std::coroutine_handle<> waiting_;
    Timer timer_;
    bool expired_ = false;
};

/// Ends the run when the task is done.
template <class Loop>
struct StopWhenDone final : TaskObserver {
    explicit StopWhenDone(Loop& its_loop) noexcept : loop(its_loop) {}
    void task_finished() noexcept override { loop.stop(); }
    Loop& loop;
};

}  // namespace detail

/// Runs tasks side by side and waits for all of them: asyncio's `gather`, but nobody is left
/// running when it is over. Gives the values in order (tasks without a value are `Task<Done>`), or
/// the first failure in time. Cancelling it cancels them all.
template <class Loop, class... Ts>
auto when_all(Loop& loop, Task<Ts>... tasks) {
    return detail::AllOfTuple<Loop, Ts...>(loop, std::move(tasks)...);
}
template <class Loop, class T>
auto when_all(Loop& loop, std::vector<Task<T>> tasks) {
    return detail::AllOfVector<Loop, T>(loop, std::move(tasks));
}

/// Runs a task, and cancels it when `limit` is over: asyncio's `wait_for`. Gives its result; timed
/// out, when it ended cancelled because of the limit.
template <class Loop, class T>
auto with_timeout(Loop& loop, Duration limit, Task<T> task) noexcept {
    return detail::TimeoutAwaiter<Loop, T>(loop, limit, std::move(task));
}

/// Runs the loop until the task is done. Throws `std::runtime_error` when somebody stops the loop
/// before; the task then stays with the loop.
template <class Loop, class T>
Result<T> run_until_complete(Loop& loop, Task<T> task) {
    auto spawned = spawn(loop, std::move(task));
    detail::StopWhenDone<Loop> stop(loop);
    spawned.observe(&stop);
    loop.run();
    if (!spawned.done()) {
        spawned.observe(nullptr);
        throw std::runtime_error("the loop was stopped before the task was done");
    }
    return spawned.result();
}

}  // namespace loopbench
