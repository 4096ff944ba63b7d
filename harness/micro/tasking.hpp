#pragma once

// Coroutine tasks over the loop.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "harness/micro/counting.hpp"
#include "loops/awaitables.hpp"
#include "loops/task.hpp"

namespace loopbench::micro {

inline constexpr std::int64_t switches_a_batch = 10'000;
inline constexpr std::int64_t tasks_a_batch = 1000;

/// Runs a task to its end; throws what it ended with when that was no success.
template <class Loop>
void run_to_end(Loop& loop, Task<void> task) {
    const auto then_stop = [](Loop& its_loop, Task<void> inner) -> Task<void> {
        Result<> result = co_await std::move(inner);
        its_loop.stop();
        result.value();
    };
    auto spawned = spawn(loop, then_stop(loop, std::move(task)));
    while (!spawned.done()) loop.run();
    spawned.result().value();
}

/// Timed: a task yields, and the other of two goes on. Every `poll_interval` switches the loop
/// polls the kernel, as the contract has it.
template <class Loop>
void task_switch(benchmark::State& state) {
    Loop loop{LoopOptions{}};
    Countdown<Loop> countdown(loop);
    bool over = false;
    const auto switching = [&]() -> Task<void> {
        while (!over) {
            static_cast<void>(co_await yield(loop));
            countdown.happened();
        }
    };
    auto one = spawn(loop, switching());
    auto other = spawn(loop, switching());
    while (state.KeepRunningBatch(switches_a_batch)) {
        countdown.begin(switches_a_batch);
        countdown.run_to_end();
    }
    over = true;
    while (!one.done() || !other.done()) run_one_turn(loop);
}

/// Timed: a coroutine is made and spawned, runs from the ready queue, ends, and its memory is given
/// back.
template <class Loop>
void task_spawn(benchmark::State& state) {
    Loop loop{LoopOptions{}};
    Countdown<Loop> countdown(loop);
    const auto nothing = [](Countdown<Loop>& its_countdown) -> Task<void> {
        its_countdown.happened();
        co_return;
    };
    while (state.KeepRunningBatch(tasks_a_batch)) {
        countdown.begin(tasks_a_batch);
        for (std::int64_t i = 0; i < tasks_a_batch; ++i) spawn(loop, nothing(countdown)).detach();
        countdown.run_to_end();
    }
}

/// Timed: a task that waits for an event is cancelled, learns of it, and ends. Not timed: spawning
/// it and letting it come to where it waits, a thousand tasks at a time.
template <class Loop>
void task_cancel(benchmark::State& state) {
    Loop loop{LoopOptions{}};
    Countdown<Loop> countdown(loop);
    Event<Loop> never(loop);
    const auto waiting = [&]() -> Task<void> {
        countdown.happened();
        static_cast<void>(co_await never.wait());
        countdown.happened();
    };
    std::vector<Spawned<void, Loop>> tasks;
    tasks.reserve(tasks_a_batch);
    while (state.KeepRunningBatch(tasks_a_batch)) {
        state.PauseTiming();
        tasks.clear();
        countdown.begin(tasks_a_batch);
        for (std::int64_t i = 0; i < tasks_a_batch; ++i) tasks.push_back(spawn(loop, waiting()));
        countdown.run_to_end();
        countdown.begin(tasks_a_batch);
        state.ResumeTiming();
        for (auto& task : tasks) task.cancel();
        countdown.run_to_end();
    }
}

}  // namespace loopbench::micro
