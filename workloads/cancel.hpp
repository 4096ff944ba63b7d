#pragma once

// Cancel: one task after the other comes to a wait and is cancelled there, by a ticker that posts
// itself in every pass and so keeps the loop turning. The loop's own count of turns says in which
// of them the cancel reaches the task. One operation is one cancelled task. By what the task waits
// for,
//  - event: nobody sets it;
//  - sleep: an hour;
//  - read: the kernel has the buffer, in loops that complete reads, and gives it back in its time.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "loops/awaitables.hpp"
#include "loops/contract.hpp"
#include "loops/task.hpp"
#include "workloads/parameters.hpp"
#include "workloads/quiet_stream.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// What the task that is cancelled waits for.
enum class CancelledWait : std::uint8_t { event, sleep, read };

/// Their names, in the order of `CancelledWait`.
inline constexpr std::array<std::string_view, 3> cancelled_waits{"event", "sleep", "read"};

template <class Loop>
class Cancel final : public Workload {
  public:
    Cancel(Loop& loop, const WorkloadSetup& setup)
        : loop_(loop),
          wait_(static_cast<CancelledWait>(
              ParameterReader(setup.params).choice("wait", cancelled_waits))),
          never_(loop),
          quiet_(loop),
          ticker_(*this) {}

    std::string set_up() override {
        if (wait_ == CancelledWait::read) quiet_.connect();
        return {};
    }

    WorkloadCounters counters() const override { return {.operations = operations_}; }

    SliceReport slice(std::uint64_t operations) override {
        remaining_ = operations;
        turns_ = 0;
        in_next_turn_ = 0;
        ended_ = true;
        const auto began = std::chrono::steady_clock::now();
        loop_.post(ticker_);
        loop_.run();
        const auto elapsed = std::chrono::steady_clock::now() - began;
        operations_ += operations;
        SliceReport report;
        report.operations = operations;
        report.elapsed = elapsed;
        const auto count = static_cast<double>(operations);
        report.metrics.emplace_back("turns_to_cancel", static_cast<double>(turns_) / count);
        report.metrics.emplace_back("next_turn_share", static_cast<double>(in_next_turn_) / count);
        return report;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

    void shut_down() override {
        if (wait_ == CancelledWait::read) quiet_.close();
    }

  private:
    struct Ticker : Operation {
        explicit Ticker(Cancel& its_owner) : Operation(&run), owner(its_owner) {}
        static void run(Operation& operation) noexcept {
            static_cast<Ticker&>(operation).owner.tick();
        }
        Cancel& owner;
    };

    /// Once in each pass.
    void tick() noexcept {
        if (ended_ && remaining_ == 0) {
            task_.reset();
            loop_.stop();
            return;
        }
        loop_.post(ticker_);
        if (ended_) {
            ended_ = false;
            task_.emplace(spawn(loop_, victim()));
        } else if (waiting_ && !cancelled_) {
            cancelled_ = true;
            cancelled_in_ = loop_.counters().turns;
            task_->cancel();
        }
    }

    Task<void> victim() {
        cancelled_ = false;
        waiting_ = true;
        bool was_cancelled = false;
        if (wait_ == CancelledWait::event) {
            const Result<> waited = co_await never_.wait();
            was_cancelled = waited.cancelled();
        } else if (wait_ == CancelledWait::sleep) {
            const Result<> slept = co_await sleep_for(loop_, std::chrono::hours(1));
            was_cancelled = slept.cancelled();
        } else {
            const Result<std::size_t> read = co_await read_some(quiet_.stream(), buffer_);
            was_cancelled = read.cancelled();
        }
        waiting_ = false;
        if (!was_cancelled) check_.fail("a wait ended otherwise than cancelled");
        const std::uint64_t turns = loop_.counters().turns - cancelled_in_;
        turns_ += turns;
        if (turns == 1) ++in_next_turn_;
        --remaining_;
        ended_ = true;
    }

    Loop& loop_;
    CancelledWait wait_;
    SelfCheck check_;
    Event<Loop> never_;
    QuietStream<Loop> quiet_;
    std::array<std::byte, 64> buffer_;
    Ticker ticker_;
    std::optional<Spawned<void, Loop>> task_;
    bool waiting_ = false;
    bool cancelled_ = false;
    bool ended_ = true;
    std::uint64_t cancelled_in_ = 0;
    std::uint64_t remaining_ = 0;
    std::uint64_t turns_ = 0;         // between cancel and delivery, summed over the slice
    std::uint64_t in_next_turn_ = 0;  // cancels that were delivered in the turn after
    std::uint64_t operations_ = 0;
};

template <class Loop>
std::unique_ptr<Workload> make_cancel(Loop& loop, const WorkloadSetup& setup) {
    return std::make_unique<Cancel<Loop>>(loop, setup);
}

}  // namespace loopbench
