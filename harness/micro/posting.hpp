#pragma once

// Handing operations to the ready queue, from the loop's thread and from another.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <semaphore>
#include <thread>

#include "harness/micro/counting.hpp"

namespace loopbench::micro {

/// Operations a batch: enough that the one poll of the kernel that a batch ends with is less than a
/// nanosecond of each.
inline constexpr std::int64_t posts_a_batch = 2000;

/// A fixed set of operations, each of which is posted once a batch.
template <class Loop>
struct PostedBatch {
    explicit PostedBatch(Loop& loop) : countdown(loop) {
        for (std::int64_t i = 0; i < posts_a_batch; ++i) operations.emplace_back(countdown);
    }

    Countdown<Loop> countdown;
    std::deque<CountedOperation<Loop>> operations;  // a deque: they stay where they are
};

/// Timed: `post`, and the call of what was posted.
template <class Loop>
void post(benchmark::State& state) {
    Loop loop{LoopOptions{}};
    PostedBatch<Loop> batch(loop);
    while (state.KeepRunningBatch(posts_a_batch)) {
        batch.countdown.begin(posts_a_batch);
        for (auto& operation : batch.operations) loop.post(operation);
        batch.countdown.run_to_end();
    }
}

/// Timed: from telling the other thread to begin until all that it posts, one after the other, has
/// been called. How many of them find the loop asleep is up to the two threads, as it is in life.
/// `cpu_time` is that of the loop's thread alone.
template <class Loop>
void post_from_thread(benchmark::State& state) {
    Loop loop{LoopOptions{}};
    PostedBatch<Loop> batch(loop);
    std::binary_semaphore begin{0};
    std::atomic<bool> over = false;
    std::thread poster([&] {
        while (true) {
            begin.acquire();
            if (over) return;
            for (auto& operation : batch.operations) loop.post_threadsafe(operation);
        }
    });
    while (state.KeepRunningBatch(posts_a_batch)) {
        batch.countdown.begin(posts_a_batch);
        begin.release();
        batch.countdown.run_to_end();
    }
    over = true;
    begin.release();
    poster.join();
}

}  // namespace loopbench::micro
