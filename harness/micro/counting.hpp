#pragma once

#include <cstdint>

#include "loops/contract.hpp"

namespace loopbench::micro {

/// Runs a loop until so many things have happened: the end of a batch.
template <class Loop>
class Countdown {
  public:
    explicit Countdown(Loop& loop) noexcept : loop_(loop) {}

    void begin(std::int64_t count) noexcept { left_ = count; }
    /// On the loop's thread; the last one stops the loop.
    void happened(std::int64_t count = 1) noexcept {
        left_ -= count;
        if (left_ == 0) loop_.stop();
    }
    void run_to_end() {
        while (left_ > 0) loop_.run();
    }

  private:
    Loop& loop_;
    std::int64_t left_ = 0;
};

/// An operation whose callback counts down and does nothing else.
template <class Loop>
class CountedOperation : public Operation {
  public:
    explicit CountedOperation(Countdown<Loop>& countdown) noexcept
        : Operation(&run), countdown_(countdown) {}

  private:
    static void run(Operation& operation) noexcept {
        static_cast<CountedOperation&>(operation).countdown_.happened();
    }

    Countdown<Loop>& countdown_;
};

/// One turn that does not wait (sentence 10 of the contract): what a loop has put off until then is
/// done in it.
template <class Loop>
void run_one_turn(Loop& loop) {
    loop.stop();
    loop.run();
}

}  // namespace loopbench::micro
