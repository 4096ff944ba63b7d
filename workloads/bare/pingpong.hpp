#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/bare/host.hpp"
#include "workloads/cpu_clock.hpp"
#include "workloads/offered.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// First in, first out, in an array that is never full.
template <class T>
class BareRing {
  public:
    /// Room for `most` elements.
    explicit BareRing(std::size_t most) {
        std::size_t size = 1;
        while (size < most) size *= 2;
        items_.resize(size);
    }
    void clear() noexcept { head_ = tail_; }
    void push(T item) noexcept { items_[tail_++ & (items_.size() - 1)] = item; }
    T pop() noexcept { return items_[head_++ & (items_.size() - 1)]; }

  private:
    std::vector<T> items_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

/// The floor of ping-pong (workloads/pingpong.hpp): a ring buffer, from which what is ready is
/// called or resumed, and no loop round it: the kernel is never asked for anything. By variant,
///  - callback: the ring holds pointers to operations, each of them a function and its place;
///  - yield: the ring holds coroutines, which put themselves behind all others;
///  - event: a coroutine waits until the one before puts it into the ring.
class BarePingPong final : public Workload {
  public:
    BarePingPong(BareHost&, const WorkloadSetup& setup)
        : parameters_(ping_pong_parameters(setup.params, "bare",
                                           {Variant::callback, Variant::yield, Variant::event})),
          calls_(1),
          ready_(parameters_.tasks),
          waiting_(parameters_.tasks) {
        for (std::uint32_t i = 0; i < parameters_.tasks; ++i) hops_.push_back({&hop, this, i});
    }

    std::string set_up() override { return {}; }

    WorkloadCounters counters() const override {
        return {.operations = operations_, .task_switches = operations_};
    }

    SliceReport slice(std::uint64_t operations) override {
        holder_ = 0;
        remaining_ = operations;
        std::vector<Coroutine> tasks = make_tasks();
        const auto began = std::chrono::steady_clock::now();
        const auto cpu_began = thread_cpu_time();
        if (parameters_.variant == Variant::callback) {
            call();
        } else {
            resume();
        }
        const auto cpu = thread_cpu_time() - cpu_began;
        SliceReport result;
        result.elapsed = std::chrono::steady_clock::now() - began;
        end_tasks(tasks);
        result.operations = operations - std::exchange(remaining_, 0);
        operations_ += result.operations;
        result.metrics.emplace_back("cpu_ns_per_switch", static_cast<double>(cpu.count()) /
                                                             static_cast<double>(operations));
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    using Variant = PingPongParameters::Variant;

    struct Hop {
        void (*function)(Hop&) noexcept;
        BarePingPong* owner;
        std::uint32_t place;
    };

    struct Coroutine {
        struct promise_type {
            Coroutine get_return_object() noexcept {
                return {std::coroutine_handle<promise_type>::from_promise(*this)};
            }
            std::suspend_always initial_suspend() noexcept { return {}; }
            std::suspend_always final_suspend() noexcept { return {}; }
            void return_void() noexcept {}
            void unhandled_exception() noexcept { std::terminate(); }
        };
        std::coroutine_handle<promise_type> handle;
    };

    /// Behind all that are ready.
    struct Yield {
        BarePingPong& owner;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> handle) noexcept { owner.ready_.push(handle); }
        void await_resume() const noexcept {}
    };
    /// Until `wake(place)`.
    struct Wait {
        BarePingPong& owner;
        std::uint32_t place;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> handle) noexcept {
            owner.waiting_[place] = handle;
        }
        void await_resume() const noexcept {}
    };
    void wake(std::uint32_t place) noexcept {
        ready_.push(std::exchange(waiting_[place], nullptr));
    }

    std::uint32_t after(std::uint32_t place) const noexcept {
        return place + 1 == parameters_.tasks ? 0 : place + 1;
    }

    /// The token has come to `place`. True when it is to go on.
    bool take(std::uint32_t place) noexcept {
        if (remaining_ == 0) return false;
        if (place != holder_) {
            check_.fail("the token came to task " + std::to_string(place) + " instead of task " +
                        std::to_string(holder_));
        }
        holder_ = after(place);
        return --remaining_ > 0;
    }

    static void hop(Hop& self) noexcept {
        BarePingPong& owner = *self.owner;
        if (owner.take(self.place)) owner.calls_.push(&owner.hops_[owner.after(self.place)]);
    }

    // The token is always in the ring, so that the ring is not empty before the last switch.

    void call() noexcept {
        calls_.push(hops_.data());
        while (remaining_ > 0) {
            Hop& next = *calls_.pop();
            next.function(next);
        }
    }

    void resume() noexcept {
        while (remaining_ > 0) ready_.pop().resume();
    }

    Coroutine yielding(std::uint32_t place) {
        do {
            co_await Yield{*this};
        } while (take(place));
    }

    Coroutine signalled(std::uint32_t place) {
        for (;;) {
            co_await Wait{*this, place};
            if (!take(place)) break;
            wake(after(place));
        }
    }

    /// Makes the tasks, runs them to where they wait for the token, and puts it in.
    std::vector<Coroutine> make_tasks() {
        std::vector<Coroutine> tasks;
        if (parameters_.variant == Variant::callback) return tasks;
        for (std::uint32_t i = 0; i < parameters_.tasks; ++i) {
            tasks.push_back(parameters_.variant == Variant::yield ? yielding(i) : signalled(i));
        }
        for (const Coroutine& task : tasks) task.handle.resume();
        if (parameters_.variant == Variant::event) wake(0);
        return tasks;
    }

    void end_tasks(const std::vector<Coroutine>& tasks) noexcept {
        ready_.clear();
        for (const Coroutine& task : tasks) task.handle.destroy();
    }

    PingPongParameters parameters_;
    SelfCheck check_;
    std::vector<Hop> hops_;
    BareRing<Hop*> calls_;
    BareRing<std::coroutine_handle<>> ready_;
    std::vector<std::coroutine_handle<>> waiting_;
    std::uint32_t holder_ = 0;
    std::uint64_t remaining_ = 0;
    std::uint64_t operations_ = 0;
};

}  // namespace loopbench
