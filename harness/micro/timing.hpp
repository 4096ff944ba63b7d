#pragma once

// Timers, at a given number of pending ones (the benchmark's argument). Drawing timers and bringing
// them into position is not timed: the clock is stopped meanwhile, once for a thousand timers,
// which costs each less than a nanosecond.

#include <benchmark/benchmark.h>

#include "harness/micro/timer_field.hpp"

namespace loopbench::micro {

/// Timed: `start_after` of a timer that is idle, and a thousandth of a turn.
template <class Loop>
void timer_start(benchmark::State& state, TimerFields<Loop>& fields) {
    auto& field = fields.with(state.range(0));
    while (state.KeepRunningBatch(field.timers_a_batch)) {
        state.PauseTiming();
        field.prepare_start();
        state.ResumeTiming();
        field.start_batch();
    }
}

/// Timed: `cancel` of a timer that is pending, and a thousandth of a turn, in which a loop that
/// puts off part of the work does it.
template <class Loop>
void timer_cancel(benchmark::State& state, TimerFields<Loop>& fields) {
    auto& field = fields.with(state.range(0));
    while (state.KeepRunningBatch(field.timers_a_batch)) {
        state.PauseTiming();
        field.prepare_start();
        field.start_batch();
        field.draw_batch();
        state.ResumeTiming();
        field.cancel_batch();
    }
}

/// Timed: turns of the loop that find a thousand timers due and call them. A loop whose clock is
/// not to be controlled gets deadlines that have just passed in real time.
template <class Loop>
void timer_expire(benchmark::State& state, TimerFields<Loop>& fields) {
    auto& field = fields.with(state.range(0));
    while (state.KeepRunningBatch(field.timers_a_batch)) {
        state.PauseTiming();
        field.prepare_start();
        field.start_batch();
        field.draw_batch();
        field.make_batch_due();
        state.ResumeTiming();
        field.expire_batch();
    }
}

}  // namespace loopbench::micro
