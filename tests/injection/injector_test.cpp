// The injection over recorded sequences of work and sleep, on clocks of the test's own.

#include "harness/injection/injector.hpp"

#include <gtest/gtest.h>

#include <tuple>

#include "harness/injection/percent.hpp"

namespace loopbench::injection {
namespace {

/// What the thread's time looks like. Reading a clock takes time too.
struct Thread {
    static constexpr std::uint64_t cpu_reading_ns = 500;
    static constexpr std::uint64_t quick_reading_ns = 24;

    std::uint64_t cpu_ns = 0;
    std::uint64_t wall_ns = 0;
    std::uint64_t readings = 0;
    std::uint64_t preempted_every = 0;  // quick readings; 0: never

    void run(std::uint64_t ns) {
        cpu_ns += ns;
        wall_ns += ns;
    }
    void sleep(std::uint64_t ns) { wall_ns += ns; }
};

struct FakeClocks {
    Thread* thread;

    std::uint64_t cpu_ns() {
        ++thread->readings;
        thread->run(Thread::cpu_reading_ns / 3);
        const std::uint64_t now = thread->cpu_ns;
        thread->run(Thread::cpu_reading_ns - Thread::cpu_reading_ns / 3);
        return now;
    }
    std::uint64_t quick_ns() {
        ++thread->readings;
        thread->run(Thread::quick_reading_ns);
        const bool preempted =
            thread->preempted_every > 0 && thread->readings % thread->preempted_every == 0;
        if (preempted) thread->sleep(40'000);
        return thread->wall_ns;
    }
};

constexpr std::uint64_t worked_ns = 200'000'000;

/// What is added to so much work, in turns of which each ends with a call that sleeps.
double added_share(double share, std::uint64_t turn_ns, std::uint64_t sleep_ns,
                   Thread thread = {}) {
    Injector<FakeClocks> injector(share, {&thread});
    const std::uint64_t begin_ns = thread.cpu_ns;
    std::uint64_t natural_ns = 0;
    while (natural_ns < worked_ns) {
        thread.run(turn_ns);
        natural_ns += turn_ns;
        injector.before();
        thread.sleep(sleep_ns);
        injector.after();
    }
    const std::uint64_t added_ns = thread.cpu_ns - begin_ns - natural_ns;
    return static_cast<double>(added_ns) / static_cast<double>(natural_ns);
}

/// What the end of that time leaves to be added: for a turn, and for the time between two spins.
double tolerance(double share, std::uint64_t turn_ns) {
    constexpr double most_between_spins_ns = 2'000'000;
    const double left = (static_cast<double>(turn_ns) + most_between_spins_ns) / worked_ns;
    return share * (left + 0.001);
}

class InjectorTest : public testing::TestWithParam<std::tuple<double, std::uint64_t>> {};

TEST_P(InjectorTest, AddsExactlyTheShareInTotal) {
    const auto [share, turn_ns] = GetParam();
    for (const std::uint64_t sleep_ns : {0, 3'000, 10'000'000}) {
        if (sleep_ns > turn_ns * 10'000) continue;  // going to sleep alone costs more than a turn
        EXPECT_NEAR(added_share(share, turn_ns, sleep_ns), share, tolerance(share, turn_ns))
            << sleep_ns;
    }
}

TEST_P(InjectorTest, MakesUpForSpinsThatWereCutShort) {
    const auto [share, turn_ns] = GetParam();
    Thread thread;
    thread.preempted_every = 9973;
    EXPECT_NEAR(added_share(share, turn_ns, 3'000, thread), share, tolerance(share, turn_ns));
}

INSTANTIATE_TEST_SUITE_P(SharesAndTurns, InjectorTest,
                         testing::Combine(testing::Values(0.015, 0.02, 0.05, 3.0),
                                          testing::Values(300, 5'800, 140'000, 3'000'000)));

TEST(InjectorZeroTest, AddsNothingAtAll) {
    Thread thread;
    Injector<FakeClocks> injector(0, {&thread});
    for (int i = 0; i < 1000; ++i) {
        thread.run(5'000);
        injector.before();
        injector.after();
    }
    EXPECT_EQ(thread.cpu_ns, 5'000'000u);
    EXPECT_EQ(thread.readings, 0u);
}

TEST(InjectorTurnsTest, ALongStretchOfWorkIsChargedAtItsEnd) {
    for (const std::uint64_t preempted_every : {0, 997}) {
        Thread thread;
        thread.preempted_every = preempted_every;
        Injector<FakeClocks> injector(0.1, {&thread});
        const std::uint64_t begin_ns = thread.cpu_ns;
        thread.run(30'000'000);
        injector.before();
        EXPECT_NEAR(static_cast<double>(thread.cpu_ns - begin_ns), 33'000'000, 2'000);
    }
}

TEST(InjectorTurnsTest, ShortTurnsAfterLongOnesAreChargedToo) {
    Thread thread;
    Injector<FakeClocks> injector(0.02, {&thread});
    const std::uint64_t begin_ns = thread.cpu_ns;
    std::uint64_t natural_ns = 0;
    for (int phase = 0; phase < 40; ++phase) {
        const std::uint64_t turn_ns = phase % 2 == 0 ? 300 : 140'000;
        for (std::uint64_t ran = 0; ran < 20'000'000; ran += turn_ns) {
            thread.run(turn_ns);
            natural_ns += turn_ns;
            injector.before();
            thread.sleep(turn_ns / 2);
            injector.after();
        }
    }
    const double added = static_cast<double>(thread.cpu_ns - begin_ns - natural_ns);
    EXPECT_NEAR(added / static_cast<double>(natural_ns), 0.02, 0.0002);
}

TEST(PercentTest, TakesNumbersOfPercentOnly) {
    EXPECT_EQ(share_of_percent("0"), 0);
    EXPECT_EQ(share_of_percent("300"), 3);
    EXPECT_DOUBLE_EQ(share_of_percent("2.5").value(), 0.025);
    for (const char* bad : {"", "-1", "5%", "nan", "inf", "ten", "10001", " 1", "1 "}) {
        EXPECT_FALSE(share_of_percent(bad)) << bad;
    }
    EXPECT_FALSE(share_of_percent(nullptr));
}

}  // namespace
}  // namespace loopbench::injection
