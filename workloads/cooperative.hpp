#pragma once

// Cooperative: what a task does to the others by not giving way. In each round a task arms a timer,
// due after a tenth of the spin, sends a byte to a socket that the loop watches, and spins on the
// clock; the timer's callback and the one that echoes the byte note when they ran. One operation is
// one round.

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "loops/awaitables.hpp"
#include "loops/contract.hpp"
#include "loops/fd.hpp"
#include "loops/task.hpp"
#include "workloads/parameters.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

template <class Loop>
class Cooperative final : public Workload {
  public:
    Cooperative(Loop& loop, const WorkloadSetup& setup)
        : loop_(loop), both_served_(loop), timer_(*this) {
        const ParameterReader reader(setup.params);
        constexpr std::uint64_t most_us = 10'000'000;
        spin_ = std::chrono::microseconds(reader.number("spin_us", 10'000, 10, most_us));
        await_every_ = std::chrono::microseconds(reader.number("await_every_us", 0, 0, most_us));
    }

    std::string set_up() override {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
            throw WorkloadError("a pair of sockets cannot be had", "see the limit: ulimit -n");
        }
        served_end_ = Fd(ends[0]);
        task_end_ = Fd(ends[1]);
        watch_ = std::make_unique<Watch>(*this);
        if (const Result<> started = watch_->start(Interest::readable); !started) {
            throw WorkloadError("a socket cannot be watched: " + started.error().message(),
                                "see what describe says of readiness");
        }
        return {};
    }

    WorkloadCounters counters() const override { return {.operations = operations_}; }

    SliceReport slice(std::uint64_t operations) override {
        timer_delay_ = {};
        echo_delay_ = {};
        const auto began = Clock::now();
        static_cast<void>(spawn(loop_, rounds(operations)));
        loop_.run();
        SliceReport report;
        report.elapsed = Clock::now() - began;
        report.operations = operations;
        operations_ += operations;
        const auto per_spin = [&](Duration delay) {
            return std::chrono::duration<double>(delay) /
                   (std::chrono::duration<double>(spin_) * static_cast<double>(operations));
        };
        report.metrics.emplace_back("timer_delay_per_spin", per_spin(timer_delay_));
        report.metrics.emplace_back("echo_delay_per_spin", per_spin(echo_delay_));
        return report;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    void shut_down() override { watch_.reset(); }

  private:
    using Clock = std::chrono::steady_clock;

    struct Watch : Loop::Readiness {
        explicit Watch(Cooperative& its_owner)
            : Loop::Readiness(its_owner.loop_, its_owner.served_end_.get(), &Watch::call),
              owner(its_owner) {}
        static void call(typename Loop::Readiness& watch, Interest) noexcept {
            static_cast<Watch&>(watch).owner.serve_byte();
        }
        Cooperative& owner;
    };

    struct RoundTimer : Loop::Timer {
        explicit RoundTimer(Cooperative& its_owner)
            : Loop::Timer(its_owner.loop_, &RoundTimer::call), owner(its_owner) {}
        static void call(typename Loop::Timer& timer) noexcept {
            static_cast<RoundTimer&>(timer).owner.timer_fired();
        }
        Cooperative& owner;
    };

    Task<void> rounds(std::uint64_t count) {
        for (; count > 0; --count) {
            both_served_.clear();
            unserved_ = 2;
            began_ = Clock::now();
            timer_.start_at(began_ + spin_ / 10);
            exchange(task_end_, false);
            if (await_every_.count() == 0) {
                spin_until(began_ + spin_);
            } else {
                static_cast<void>(co_await spin_giving_way());
            }
            static_cast<void>(co_await both_served_.wait());
            exchange(task_end_, true);
        }
        loop_.stop();
    }

    Task<void> spin_giving_way() {
        while (Clock::now() < began_ + spin_) {
            spin_until(std::min(Clock::now() + await_every_, began_ + spin_));
            static_cast<void>(co_await yield(loop_));
        }
    }

    static void spin_until(TimePoint end) noexcept {
        while (Clock::now() < end) {
        }
    }

    void serve_byte() noexcept {
        echo_delay_ += Clock::now() - began_;
        exchange(served_end_, true);
        exchange(served_end_, false);
        one_served();
    }

    void timer_fired() noexcept {
        timer_delay_ += Clock::now() - began_;
        one_served();
    }

    void one_served() noexcept {
        if (--unserved_ == 0) both_served_.set();
    }

    /// Sends the one byte of a round, or takes it.
    void exchange(const Fd& end, bool receive) noexcept {
        char byte = 'e';
        const ssize_t moved =
            receive ? ::recv(end.get(), &byte, 1, 0) : ::send(end.get(), &byte, 1, MSG_NOSIGNAL);
        if (moved != 1 || byte != 'e') check_.fail("the byte of a round was lost");
    }

    Loop& loop_;
    Duration spin_{0};
    Duration await_every_{0};  // 0: never
    SelfCheck check_;
    Event<Loop> both_served_;
    RoundTimer timer_;
    Fd served_end_;
    Fd task_end_;
    std::unique_ptr<Watch> watch_;
    TimePoint began_;
    int unserved_ = 0;
    Duration timer_delay_{0};  // summed over the slice
    Duration echo_delay_{0};
    std::uint64_t operations_ = 0;
};

template <class Loop>
std::unique_ptr<Workload> make_cooperative(Loop& loop, const WorkloadSetup& setup) {
    return std::make_unique<Cooperative<Loop>>(loop, setup);
}

}  // namespace loopbench
