// loopbench-micro-NAME: the primitives of one loop, timed by Google Benchmark, as
// `LOOP/PRIMITIVE[/PENDING]`. What exactly is inside a figure is said at each primitive. `loopbench
// micro` runs these programs in turns; each also works by itself, like any program of Google
// Benchmark's.

#include LOOPBENCH_LOOP_HEADER

#include <benchmark/benchmark.h>

#include <cstdio>
#include <exception>
#include <string>

#include "harness/micro/posting.hpp"
#include "harness/micro/sockets.hpp"
#include "harness/micro/tasking.hpp"
#include "harness/micro/timing.hpp"
#include "harness/micro_exit_status.hpp"

namespace loopbench::micro {
namespace {

using Loop = LOOPBENCH_LOOP;

/// Adds a primitive to Google Benchmark's list. What it throws becomes the benchmark's error.
template <class Function>
benchmark::internal::Benchmark* add(const char* primitive, Function function) {
    const std::string name = Loop::describe().name + "/" + primitive;
    return benchmark::RegisterBenchmark(name.c_str(), [function](benchmark::State& state) {
        try {
            function(state);
            state.SetItemsProcessed(state.iterations());
        } catch (const std::exception& error) {
            state.SkipWithError(error.what());
        }
    });
}

template <class Function>
void add_with_pending(const char* primitive, Function function) {
    add(primitive, function)->Arg(1000)->Arg(100'000)->Arg(1'000'000);
}

void add_all(TimerFields<Loop>& fields) {
    add("post", post<Loop>);
    add("post_from_thread", post_from_thread<Loop>);
    add_with_pending("timer_start", [&](auto& state) { timer_start(state, fields); });
    add_with_pending("timer_cancel", [&](auto& state) { timer_cancel(state, fields); });
    add_with_pending("timer_expire", [&](auto& state) { timer_expire(state, fields); });
    add("task_switch", task_switch<Loop>);
    add("task_spawn", task_spawn<Loop>);
    add("task_cancel", task_cancel<Loop>);
    add("read_byte", read_byte<Loop>);
    add("write_byte", write_byte<Loop>);
    add("connect_accept_close", connect_accept_close<Loop>);
}

int run(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (argc > 1) {
        std::fprintf(stderr, "%s: Google Benchmark has no such flag, or it takes no such value\n",
                     argv[1]);
        return micro_usage;
    }
    const Availability availability = Loop::availability();
    if (!availability.available) {
        std::fprintf(stderr, "it cannot work here: %s; %s\n", availability.reason.c_str(),
                     availability.remedy.c_str());
        return micro_unavailable;
    }
    TimerFields<Loop> fields;
    add_all(fields);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

}  // namespace
}  // namespace loopbench::micro

int main(int argc, char** argv) {
    return loopbench::micro::run(argc, argv);
}
