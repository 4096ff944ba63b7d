#pragma once

// Coroutines over any loop of the contract, after asyncio's Task. What they promise is in sentences
// 5 to 7 of contract.hpp.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

#include "loops/contract.hpp"
#include "loops/frame_pool.hpp"

namespace loopbench {

/// Something that a suspended task waits for, as seen by whoever cancels the task.
class Wait {
  public:
    /// Asks the wait to end early, as cancelled. It may also end with a result that it already has.
    virtual void cancel_wait() noexcept = 0;

  protected:
    ~Wait() = default;
};

/// What the coroutines of one task share: where cancellation is kept until it is delivered. A task
/// is a chain of coroutines that await one another, of which at most the innermost waits.
class TaskContext {
  public:
    TaskContext() noexcept = default;
    TaskContext(const TaskContext&) = delete;
    TaskContext& operator=(const TaskContext&) = delete;

    /// Requests cancellation: the present wait is asked to end, or the next await will. Requests
    /// that come before one is delivered merge with it.
    void cancel() noexcept {
        if (finished_ || cancel_requested_) return;
        cancel_requested_ = true;
        if (wait_ != nullptr) wait_->cancel_wait();
    }

    /// Whether a cancel is waiting to be delivered; takes it.
    bool take_cancel() noexcept { return std::exchange(cancel_requested_, false); }
    bool cancel_requested() const noexcept { return cancel_requested_; }

    void begin_wait(Wait& wait) noexcept { wait_ = &wait; }
    void end_wait() noexcept { wait_ = nullptr; }
    void finish() noexcept { finished_ = true; }

  private:
    Wait* wait_ = nullptr;
    bool cancel_requested_ = false;
    bool finished_ = false;
};

/// The result of a `Task<Done>`: success without a value, for tasks that may also fail by value.
struct Done {};

template <class T>
class Task;

namespace detail {

/// Learns that a task has finished.
class TaskObserver {
  public:
    virtual void task_finished() noexcept = 0;

  protected:
    ~TaskObserver() = default;
};

/// The part of a promise that does not depend on the result's type.
class PromiseBase {
  public:
    static void* operator new(std::size_t size) { return FramePool::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        FramePool::release(frame, size);
    }

    std::suspend_always initial_suspend() noexcept { return {}; }

    /// Goes on with whoever awaits this coroutine; without one, tells the observer.
    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            PromiseBase& promise = ended.promise();
            if (promise.continuation_) return promise.continuation_;
            if (promise.observer_ != nullptr) promise.observer_->task_finished();
            return std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() noexcept { return {}; }

    TaskContext& context() noexcept { return *context_; }
    void set_context(TaskContext& context) noexcept { context_ = &context; }
    void set_continuation(std::coroutine_handle<> waiting) noexcept { continuation_ = waiting; }
    void set_observer(TaskObserver* observer) noexcept { observer_ = observer; }

  private:
    TaskContext* context_ = nullptr;
    std::coroutine_handle<> continuation_;
    TaskObserver* observer_ = nullptr;
};

template <class T>
class Promise : public PromiseBase {
  public:
    Task<T> get_return_object() noexcept;
    void return_value(Result<T> result) noexcept { result_ = std::move(result); }
    void unhandled_exception() noexcept {
        result_ = Failure::from_exception(std::current_exception());
    }
    Result<T>& result() noexcept { return result_; }

  private:
    Result<T> result_ = Failure::cancelled();  // until the coroutine ends
};

template <>
class Promise<void> : public PromiseBase {
  public:
    Task<void> get_return_object() noexcept;
    void return_void() noexcept { result_ = Result<>(); }
    void unhandled_exception() noexcept {
        result_ = Failure::from_exception(std::current_exception());
    }
    Result<>& result() noexcept { return result_; }

  private:
    Result<> result_ = Failure::cancelled();
};

}  // namespace detail

/// A coroutine that has not started. `co_await` on it runs it as part of the awaiting task and
/// gives its `Result<T>`; `spawn` makes it a task of its own. Owns the frame; move-only.
///
/// The body says `co_return value`, or `co_return failure`, or throws. A `Task<void>` can fail only
/// by throwing; `Task<Done>` is for those that succeed without a value and may fail by value.
template <class T = void>
class [[nodiscard]] Task {
  public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    ~Task() {
        if (handle_) handle_.destroy();
    }

    /// Gives up the frame. For whoever runs the task.
    Handle release() noexcept { return std::exchange(handle_, nullptr); }
    Handle handle() const noexcept { return handle_; }

    auto operator co_await() && noexcept { return Awaiter{handle_}; }

  private:
    /// Runs the coroutine inside `await_suspend` until it waits or ends. When it ended, the
    /// awaiting one just goes on: so a loop over coroutines that never wait needs no stack and no
    /// tail calls.
    struct Awaiter {
        Handle handle;

        bool await_ready() const noexcept { return false; }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
            auto& promise = handle.promise();
            promise.set_context(waiting.promise().context());
            handle.resume();
            if (handle.done()) return false;
            promise.set_continuation(waiting);
            return true;
        }
        Result<T> await_resume() noexcept { return std::move(handle.promise().result()); }
    };

    Handle handle_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace detail

/// A spawned task: runs whether or not anybody holds this handle. `co_await` gives its result,
/// once. Dropping the handle lets the task run on; its failure then goes to the loop's error
/// handler. Belongs to the loop's thread and is not used after the loop.
template <class T, class Loop>
class [[nodiscard]] Spawned {
  public:
    Spawned(Spawned&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Spawned& operator=(Spawned&& other) noexcept {
        if (this != &other) {
            drop();
            state_ = std::exchange(other.state_, nullptr);
        }
        return *this;
    }
    ~Spawned() { drop(); }

    /// Requests cancellation: sentence 6 of the contract.
    void cancel() noexcept { state_->context.cancel(); }
    bool done() const noexcept { return state_->done; }
    /// Lets the task run on by itself.
    void detach() noexcept {
        drop();
        state_ = nullptr;
    }
    /// Takes the result of a task that is done.
    Result<T> result() noexcept {
        assert(done());
        state_->observed = true;
        return std::move(state_->frame.promise().result());
    }

    /// Waits for the end of the task. Cancelling the waiting task passes the cancel on.
    auto operator co_await() noexcept { return Awaiter(*this); }

    /// For combinators: `observer` is told, on the loop's thread, when the task is done.
    void observe(detail::TaskObserver* observer) noexcept { state_->observer = observer; }

  private:
    template <class U, class L>
    friend Spawned<U, L> spawn(L&, Task<U>);

    /// What a task needs beyond its coroutine. Freed when it is done and its handle is gone.
    struct State final : ListedTask, Operation, detail::TaskObserver {
        State(Loop& its_loop, typename Task<T>::Handle its_frame) noexcept
            : Operation(&start), loop(its_loop), frame(its_frame) {
            frame.promise().set_context(context);
            frame.promise().set_observer(this);
        }
        static void* operator new(std::size_t size) { return FramePool::allocate(size); }
        static void operator delete(void* memory, std::size_t size) noexcept {
            FramePool::release(memory, size);
        }

        void cancel() noexcept override { context.cancel(); }
        static void start(Operation& operation) noexcept {
            static_cast<State&>(operation).frame.resume();
        }
        void task_finished() noexcept override {
            done = true;
            context.finish();
            Loop& its_loop = loop;
            its_loop.tasks().remove(*this);
            if (observer != nullptr) {
                std::exchange(observer, nullptr)->task_finished();
            } else if (!held) {
                release();
            }
        }
        void release() noexcept {
            auto& result = frame.promise().result();
            if (!observed && !result.ok() && !result.cancelled()) {
                loop.tasks().report(result.failure());
            }
            frame.destroy();
            delete this;
        }

        Loop& loop;
        typename Task<T>::Handle frame;
        TaskContext context;
        detail::TaskObserver* observer = nullptr;
        bool done = false;
        bool held = true;       // by a handle
        bool observed = false;  // its result was taken
    };

    explicit Spawned(State& state) noexcept : state_(&state) {}

    void drop() noexcept {
        if (state_ == nullptr) return;
        state_->held = false;
        if (state_->done) state_->release();
    }

    class Awaiter final : private Wait, private detail::TaskObserver {
      public:
        explicit Awaiter(Spawned& task) noexcept : task_(task) {}

        bool await_ready() const noexcept { return task_.done(); }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
            context_ = &waiting.promise().context();
            waiting_ = waiting;
            task_.observe(this);
            context_->begin_wait(*this);
            if (context_->cancel_requested()) task_.cancel();
        }
        Result<T> await_resume() noexcept {
            Result<T> result = task_.result();
            if (context_ != nullptr && result.cancelled()) context_->take_cancel();
            return result;
        }

      private:
        void cancel_wait() noexcept override { task_.cancel(); }
        void task_finished() noexcept override {
            context_->end_wait();
            waiting_.resume();
        }

        Spawned& task_;
        TaskContext* context_ = nullptr;
        std::coroutine_handle<> waiting_;
    };

    State* state_;
};

/// Makes a coroutine a task of its own, asyncio's `create_task`. Its first step runs from the ready
/// queue. The loop keeps it until it ends.
template <class T, class Loop>
Spawned<T, Loop> spawn(Loop& loop, Task<T> task) {
    auto* state = new typename Spawned<T, Loop>::State(loop, task.handle());
    task.release();  // the state owns the frame from here on
    loop.tasks().add(*state);
    loop.post(*state);
    return Spawned<T, Loop>(*state);
}

}  // namespace loopbench
