#pragma once

// Ping-pong: a token goes round T tasks (or operations) through the ready queue. One operation is
// one switch: the token has reached the next of them. By variant,
//  - callback: an operation runs, which posts the next one;
//  - yield: a task goes on after it let all the others go first;
//  - event: a task goes on because the one before it set its event;
//  - cancel: a task's wait ends as cancelled, because the one before cancelled it; seen as a value;
//  - cancel-throw: the same, thrown and caught;
//  - spawn: a task that has just been made makes the next one, and ends.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loops/awaitables.hpp"
#include "loops/contract.hpp"
#include "loops/task.hpp"
#include "workloads/cpu_clock.hpp"
#include "workloads/parameters.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// The parameters of ping-pong.
struct PingPongParameters {
    enum class Variant : std::uint8_t { callback, yield, event, cancel, cancel_throw, spawn };

    std::uint32_t tasks = 2;
    Variant variant = Variant::callback;
};

/// The variants' names, in the order of `Variant`.
inline constexpr std::array<std::string_view, 6> ping_pong_variants{
    "callback", "yield", "event", "cancel", "cancel-throw", "spawn"};

/// Reads `tasks` (2) and `variant` (callback). Throws `WorkloadError`.
PingPongParameters ping_pong_parameters(const nlohmann::json& params);

template <class Loop>
class PingPong final : public Workload {
  public:
    PingPong(Loop& loop, const WorkloadSetup& setup)
        : loop_(loop), parameters_(ping_pong_parameters(setup.params)), gate_(loop) {
        for (std::uint32_t i = 0; i < parameters_.tasks; ++i) {
            hops_.emplace_back(*this, i);
            events_.emplace_back(loop);
        }
        tasks_.reserve(parameters_.tasks);
    }

    std::string set_up() override { return {}; }

    WorkloadCounters counters() const override {
        return {.operations = operations_, .task_switches = operations_};
    }

    /// Tasks are made before the timed section and ended after it, save with `spawn`.
    SliceReport slice(std::uint64_t operations) override {
        make_tasks();
        holder_ = 0;
        remaining_ = operations;
        const auto began = std::chrono::steady_clock::now();
        const auto cpu_began = thread_cpu_time();
        throw_in();
        loop_.run();
        const auto cpu = thread_cpu_time() - cpu_began;
        const auto elapsed = std::chrono::steady_clock::now() - began;
        end_tasks();

        const std::uint64_t done = operations - std::exchange(remaining_, 0);
        operations_ += done;
        SliceReport result;
        result.operations = done;
        result.elapsed = elapsed;
        result.metrics.emplace_back("cpu_ns_per_switch", static_cast<double>(cpu.count()) /
                                                             static_cast<double>(operations));
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    using Variant = PingPongParameters::Variant;

    struct Hop : Operation {
        Hop(PingPong& its_owner, std::uint32_t its_place)
            : Operation(&run), owner(its_owner), place(its_place) {}
        static void run(Operation& operation) noexcept {
            auto& self = static_cast<Hop&>(operation);
            PingPong& owner = self.owner;
            if (owner.take(self.place)) owner.loop_.post(owner.hops_[owner.after(self.place)]);
        }

        PingPong& owner;
        std::uint32_t place;
    };

    std::uint32_t after(std::uint32_t place) const noexcept {
        return place + 1 == parameters_.tasks ? 0 : place + 1;
    }

    /// The token has come to `place`. True when it is to go on; the last switch of a slice stops
    /// the loop.
    bool take(std::uint32_t place) noexcept {
        if (remaining_ == 0) return false;
        if (place != holder_) came_to_another(place);
        holder_ = after(place);
        if (--remaining_ > 0) return true;
        loop_.stop();
        return false;
    }

    /// Apart, so that `take` is a few instructions wherever it stands.
    [[gnu::noinline]] void came_to_another(std::uint32_t place) {
        check_.fail("the token came to task " + std::to_string(place) + " instead of task " +
                    std::to_string(holder_));
    }

    /// Whether the tasks are there before the token comes.
    bool keeps_tasks() const noexcept {
        return parameters_.variant != Variant::callback && parameters_.variant != Variant::spawn;
    }

    /// Makes the tasks and runs them up to where they wait for the token.
    void make_tasks() {
        if (!keeps_tasks()) return;
        waiting_ = 0;
        ended_ = 0;
        gate_.clear();
        for (Event<Loop>& event : events_) event.clear();
        for (std::uint32_t i = 0; i < parameters_.tasks; ++i) {
            tasks_.push_back(spawn(loop_, task(i)));
        }
        while (waiting_ < parameters_.tasks) loop_.run();
    }

    Task<void> task(std::uint32_t place) {
        switch (parameters_.variant) {
            case Variant::yield:
                return yielding(place);
            case Variant::event:
                return signalled(place);
            case Variant::cancel:
                return cancelled(place);
            default:
                return cancelled_by_exception(place);
        }
    }

    void throw_in() noexcept {
        switch (parameters_.variant) {
            case Variant::callback:
                loop_.post(hops_[0]);
                break;
            case Variant::yield:
                gate_.set();
                break;
            case Variant::event:
                events_[0].set();
                break;
            case Variant::spawn:
                spawn(loop_, short_lived(0)).detach();
                break;
            default:
                tasks_[0].cancel();
        }
    }

    void end_tasks() {
        if (!keeps_tasks()) return;
        gate_.set();
        for (Event<Loop>& event : events_) event.set();
        while (ended_ < parameters_.tasks) loop_.run();
        tasks_.clear();
    }

    /// A task is about to wait for the token; the pass that is stopped goes on until it does.
    void about_to_wait() noexcept {
        if (++waiting_ == parameters_.tasks) loop_.stop();
    }
    void about_to_end() noexcept {
        if (++ended_ == parameters_.tasks) loop_.stop();
    }

    Task<void> yielding(std::uint32_t place) {
        about_to_wait();
        static_cast<void>(co_await gate_.wait());
        do {
            static_cast<void>(co_await yield(loop_));
        } while (take(place));
        about_to_end();
    }

    Task<void> signalled(std::uint32_t place) {
        about_to_wait();
        Event<Loop>& mine = events_[place];
        Event<Loop>& next = events_[after(place)];
        for (;;) {
            static_cast<void>(co_await mine.wait());
            mine.clear();
            if (!take(place)) break;
            next.set();
        }
        about_to_end();
    }

    Task<void> short_lived(std::uint32_t place) {
        if (take(place)) spawn(loop_, short_lived(after(place))).detach();
        co_return;
    }

    // In the two variants of cancelling, nobody sets the gate before the slice is over.

    Task<void> cancelled(std::uint32_t place) {
        about_to_wait();
        for (;;) {
            const Result<> waited = co_await gate_.wait();
            if (!waited.cancelled()) break;
            if (!take(place)) break;
            tasks_[after(place)].cancel();
        }
        about_to_end();
    }

    Task<void> cancelled_by_exception(std::uint32_t place) {
        about_to_wait();
        for (;;) {
            try {
                const Result<> waited = co_await gate_.wait();
                waited.value();
                break;
            } catch (const Cancelled&) {
            }
            if (!take(place)) break;
            tasks_[after(place)].cancel();
        }
        about_to_end();
    }

    Loop& loop_;
    PingPongParameters parameters_;
    SelfCheck check_;
    std::deque<Hop> hops_;  // deques: they stay where they are
    std::deque<Event<Loop>> events_;
    Event<Loop> gate_;
    std::vector<Spawned<void, Loop>> tasks_;
    std::uint32_t waiting_ = 0;
    std::uint32_t ended_ = 0;
    std::uint32_t holder_ = 0;     // who is to have the token next
    std::uint64_t remaining_ = 0;  // switches of the slice
    std::uint64_t operations_ = 0;
};

template <class Loop>
std::unique_ptr<Workload> make_ping_pong(Loop& loop, const WorkloadSetup& setup) {
    return std::make_unique<PingPong<Loop>>(loop, setup);
}

}  // namespace loopbench
