#pragma once

// What a task can wait for: the loop's operations, a turn, a time, an event. All give a `Result`,
// in which a cancel is a value.

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "loops/task.hpp"

namespace loopbench {

/// Base of what a task awaits: an `AnyOperation` (a `ResultOperation`) that is embedded in the
/// coroutine's frame. `Derived` says how it starts (`Start start()`) and how it ends early (`void
/// cancel_operation()`, which may be too late).
template <class Derived, class Loop, class AnyOperation>
class OperationAwaiter : protected AnyOperation, private Wait {
  public:
    OperationAwaiter(const OperationAwaiter&) = delete;
    OperationAwaiter& operator=(const OperationAwaiter&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        context_ = &waiting.promise().context();
        waiting_ = waiting;
        if (Derived::cancellable &&
            (context_->cancel_requested() || loop_.tasks().shutting_down())) {
            // The cancel strikes here: nothing is started, and the task goes on in the next pass.
            this->result = Failure::cancelled();
            loop_.post(*this);
            return true;
        }
        if (derived().start() == Start::done) return false;
        context_->begin_wait(*this);
        return true;
    }

    auto await_resume() noexcept { return std::move(this->result); }

  protected:
    explicit OperationAwaiter(Loop& loop) noexcept : AnyOperation(&completed), loop_(loop) {}
    ~OperationAwaiter() = default;

    /// Whether a cancelled task need not wait for it to end by itself.
    static constexpr bool cancellable = true;

    Loop& loop() const noexcept { return loop_; }

    /// Goes on with the task, in which `this` is destroyed. `result` is set.
    void finish() noexcept {
        context_->end_wait();
        if (this->result.cancelled()) context_->take_cancel();
        waiting_.resume();
    }

  private:
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }
    void cancel_wait() noexcept override { derived().cancel_operation(); }
    static void completed(Operation& operation) noexcept {
        static_cast<OperationAwaiter&>(static_cast<AnyOperation&>(operation)).finish();
    }

    Loop& loop_;
    TaskContext* context_ = nullptr;
    std::coroutine_handle<> waiting_;
};

namespace detail {

/// Stands in the ready queue from the start, so that there is nothing to end early: a cancel that
/// has come by the time the task goes on is delivered then.
template <class Loop>
class YieldAwaiter final : private Operation {
  public:
    explicit YieldAwaiter(Loop& loop) noexcept : Operation(&completed), loop_(loop) {}
    YieldAwaiter(const YieldAwaiter&) = delete;
    YieldAwaiter& operator=(const YieldAwaiter&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        context_ = &waiting.promise().context();
        waiting_ = waiting;
        loop_.post(*this);
    }

    Result<> await_resume() noexcept {
        const bool cancelled = context_->take_cancel() || loop_.tasks().shutting_down();
        return cancelled ? Result<>(Failure::cancelled()) : Result<>();
    }

  private:
    static void completed(Operation& operation) noexcept {
        static_cast<YieldAwaiter&>(operation).waiting_.resume();
    }

    Loop& loop_;
    TaskContext* context_ = nullptr;
    std::coroutine_handle<> waiting_;
};

template <class Loop>
class SleepAwaiter final
    : public OperationAwaiter<SleepAwaiter<Loop>, Loop, ResultOperation<void>> {
    using Base = OperationAwaiter<SleepAwaiter, Loop, ResultOperation<void>>;
    friend Base;

  public:
    SleepAwaiter(Loop& loop, Duration delay) noexcept : Base(loop), timer_(loop, *this) {
        timer_.delay = delay;
    }
    SleepAwaiter(Loop& loop, TimePoint deadline) noexcept : Base(loop), timer_(loop, *this) {
        timer_.deadline = deadline;
        timer_.absolute = true;
    }

  private:
    struct Timer final : Loop::Timer {
        Timer(Loop& loop, SleepAwaiter& owner) noexcept
            : Loop::Timer(loop, &fired), awaiter(owner) {}
        static void fired(typename Loop::Timer& timer) noexcept {
            SleepAwaiter& awaiter = static_cast<Timer&>(timer).awaiter;
            awaiter.result = Result<>();
            awaiter.finish();
        }
        SleepAwaiter& awaiter;
        Duration delay{0};
        TimePoint deadline{};
        bool absolute = false;
    };

    Start start() noexcept {
        if (timer_.absolute) {
            timer_.start_at(timer_.deadline);
        } else {
            timer_.start_after(timer_.delay);
        }
        return Start::pending;
    }
    void cancel_operation() noexcept {
        timer_.cancel();
        this->result = Failure::cancelled();
        this->loop().post(*this);
    }

    Timer timer_;
};

template <class Stream>
using LoopOf = std::remove_reference_t<decltype(std::declval<Stream&>().loop())>;

template <class Stream, class Loop = LoopOf<Stream>>
class ReadAwaiter final
    : public OperationAwaiter<ReadAwaiter<Stream, Loop>, Loop, typename Loop::ReadOperation> {
    using Base = OperationAwaiter<ReadAwaiter, Loop, typename Loop::ReadOperation>;
    friend Base;

  public:
    ReadAwaiter(Stream& stream, std::span<std::byte> into) noexcept
        : Base(stream.loop()), stream_(stream), into_(into) {}

  private:
    Start start() noexcept { return stream_.read_some(*this, into_); }
    void cancel_operation() noexcept { stream_.cancel(*this); }

    Stream& stream_;
    std::span<std::byte> into_;
};

template <class Stream, class Loop = LoopOf<Stream>>
class WriteAwaiter final
    : public OperationAwaiter<WriteAwaiter<Stream, Loop>, Loop, typename Loop::WriteOperation> {
    using Base = OperationAwaiter<WriteAwaiter, Loop, typename Loop::WriteOperation>;
    friend Base;

  public:
    WriteAwaiter(Stream& stream, std::span<const std::byte> from) noexcept
        : Base(stream.loop()), stream_(stream), from_(from) {}

  private:
    Start start() noexcept { return stream_.write_all(*this, from_); }
    void cancel_operation() noexcept { stream_.cancel(*this); }

    Stream& stream_;
    std::span<const std::byte> from_;
};

template <class Stream, class Loop = LoopOf<Stream>>
class ConnectAwaiter final
    : public OperationAwaiter<ConnectAwaiter<Stream, Loop>, Loop, typename Loop::ConnectOperation> {
    using Base = OperationAwaiter<ConnectAwaiter, Loop, typename Loop::ConnectOperation>;
    friend Base;

  public:
    ConnectAwaiter(Stream& stream, const Endpoint& endpoint, const SocketOptions& options) noexcept
        : Base(stream.loop()), stream_(stream), endpoint_(endpoint), options_(options) {}

  private:
    Start start() noexcept { return stream_.connect(*this, endpoint_, options_); }
    void cancel_operation() noexcept { stream_.cancel(*this); }

    Stream& stream_;
    const Endpoint& endpoint_;  // both live until the full expression ends
    const SocketOptions& options_;
};

template <class Listener, class Stream, class Loop = LoopOf<Stream>>
class AcceptAwaiter final : public OperationAwaiter<AcceptAwaiter<Listener, Stream, Loop>, Loop,
                                                    typename Loop::AcceptOperation> {
    using Base = OperationAwaiter<AcceptAwaiter, Loop, typename Loop::AcceptOperation>;
    friend Base;

  public:
    AcceptAwaiter(Listener& listener, Stream& into) noexcept
        : Base(into.loop()), listener_(listener), stream_(into) {}

  private:
    Start start() noexcept { return listener_.accept(*this, stream_); }
    void cancel_operation() noexcept { listener_.cancel(*this); }

    Listener& listener_;
    Stream& stream_;
};

template <class Stream, class Loop = LoopOf<Stream>>
class ShutdownAwaiter final : public OperationAwaiter<ShutdownAwaiter<Stream, Loop>, Loop,
                                                      typename Loop::ShutdownOperation> {
    using Base = OperationAwaiter<ShutdownAwaiter, Loop, typename Loop::ShutdownOperation>;
    friend Base;

  public:
    explicit ShutdownAwaiter(Stream& stream) noexcept : Base(stream.loop()), stream_(stream) {}

  private:
    Start start() noexcept { return stream_.shutdown_write(*this); }
    void cancel_operation() noexcept { stream_.cancel(*this); }

    Stream& stream_;
};

/// Closing is not cut short: a cancelled task closes what it has opened.
template <class Closable, class Loop = LoopOf<Closable>>
class CloseAwaiter final
    : public OperationAwaiter<CloseAwaiter<Closable, Loop>, Loop, typename Loop::CloseOperation> {
    using Base = OperationAwaiter<CloseAwaiter, Loop, typename Loop::CloseOperation>;
    friend Base;

  public:
    explicit CloseAwaiter(Closable& closable) noexcept
        : Base(closable.loop()), closable_(closable) {}

  private:
    static constexpr bool cancellable = false;

    Start start() noexcept {
        closable_.close(*this);
        return Start::pending;
    }
    void cancel_operation() noexcept {}

    Closable& closable_;
};

}  // namespace detail

/// Lets everything else that is ready go first: asyncio's `sleep(0)`. `Result<>`.
template <class Loop>
auto yield(Loop& loop) noexcept {
    return detail::YieldAwaiter<Loop>(loop);
}

/// Waits for a time: asyncio's `sleep`. `Result<>`.
template <class Loop>
auto sleep_for(Loop& loop, Duration delay) noexcept {
    return detail::SleepAwaiter<Loop>(loop, delay);
}
template <class Loop>
auto sleep_until(Loop& loop, TimePoint deadline) noexcept {
    return detail::SleepAwaiter<Loop>(loop, deadline);
}

/// Reads at least one byte into `buffer`, or 0 at end of file. `Result<std::size_t>`.
template <class Stream>
auto read_some(Stream& stream, std::span<std::byte> buffer) noexcept {
    return detail::ReadAwaiter<Stream>(stream, buffer);
}

/// Writes all of `bytes`, which stay valid until then. `Result<std::size_t>`.
template <class Stream>
auto write_all(Stream& stream, std::span<const std::byte> bytes) noexcept {
    return detail::WriteAwaiter<Stream>(stream, bytes);
}

/// Connects a stream. `Result<>`. To be awaited in the expression that makes it.
template <class Stream>
auto connect(Stream& stream, const Endpoint& endpoint, const SocketOptions& options = {}) noexcept {
    return detail::ConnectAwaiter<Stream>(stream, endpoint, options);
}

/// Accepts the next connection into `stream`. `Result<>`.
template <class Listener, class Stream>
auto accept(Listener& listener, Stream& stream) noexcept {
    return detail::AcceptAwaiter<Listener, Stream>(listener, stream);
}

/// Half-closes a stream once what is queued is sent. `Result<>`.
template <class Stream>
auto shutdown_write(Stream& stream) noexcept {
    return detail::ShutdownAwaiter<Stream>(stream);
}

/// Closes a stream or a listener. `Result<>`; always succeeds, also in a task that is cancelled.
template <class Closable>
auto close(Closable& closable) noexcept {
    return detail::CloseAwaiter<Closable>(closable);
}

/// A flag that tasks wait for: asyncio's `Event`. Outlives those who wait.
template <class Loop>
class Event {
    class Awaiter;

  public:
    explicit Event(Loop& loop) noexcept : loop_(loop) {}
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { assert(first_ == nullptr && "an event was destroyed while tasks wait for it"); }

    bool is_set() const noexcept { return set_; }
    void clear() noexcept { set_ = false; }
    /// Wakes all who wait, in the order in which they came.
    void set() noexcept {
        set_ = true;
        while (first_ != nullptr) {
            Awaiter& waiter = *first_;
            unlink(waiter);
            waiter.wake(Result<>());
        }
    }
    /// `Result<>`; at once when the event is set.
    auto wait() noexcept { return Awaiter(*this); }

  private:
    class Awaiter final : public OperationAwaiter<Awaiter, Loop, ResultOperation<void>> {
        using Base = OperationAwaiter<Awaiter, Loop, ResultOperation<void>>;
        friend Base;
        friend Event;

      public:
        explicit Awaiter(Event& event) noexcept : Base(event.loop_), event_(event) {}

      private:
        Start start() noexcept {
            if (event_.set_) {
                this->result = Result<>();
                return Start::done;
            }
            event_.link(*this);
            return Start::pending;
        }
        void cancel_operation() noexcept {
            if (!linked_) return;  // woken already: that wins
            event_.unlink(*this);
            wake(Failure::cancelled());
        }
        void wake(Result<> outcome) noexcept {
            this->result = std::move(outcome);
            this->loop().post(*this);
        }

        Event& event_;
        Awaiter* before_ = nullptr;
        Awaiter* after_ = nullptr;
        bool linked_ = false;
    };

    void link(Awaiter& waiter) noexcept {
        waiter.linked_ = true;
        waiter.before_ = last_;
        (last_ != nullptr ? last_->after_ : first_) = &waiter;
        last_ = &waiter;
    }
    void unlink(Awaiter& waiter) noexcept {
        waiter.linked_ = false;
        (waiter.before_ != nullptr ? waiter.before_->after_ : first_) = waiter.after_;
        (waiter.after_ != nullptr ? waiter.after_->before_ : last_) = waiter.before_;
        waiter.before_ = waiter.after_ = nullptr;
    }

    Loop& loop_;
    Awaiter* first_ = nullptr;
    Awaiter* last_ = nullptr;
    bool set_ = false;
};

}  // namespace loopbench
