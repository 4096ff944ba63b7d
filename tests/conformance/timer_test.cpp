// Timers: sentence 4.

#include <algorithm>
#include <random>

#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class TimerTest : public Conformance {
  protected:
    /// Asked once: a loop may have to try what the kernel offers before it can say.
    static const LoopDescription& description() {
        static const LoopDescription described = Loop::describe();
        return described;
    }
    static Duration resolution() { return description().timer_resolution; }
    static bool has_clock() { return description().controllable_clock; }

    /// Moves a clock of the test and lets the loop see it.
    void advance(ManualClock& clock, Duration step) {
        clock.advance(step);
        turn();
    }
};

/// A timer that notes when it fired and in which turn.
struct NotedTimer {
    explicit NotedTimer(Loop& loop, std::function<void(NotedTimer&)> f = {})
        : timer(loop,
                [this, &loop] {
                    turn = loop.counters().turns;
                    if (body) body(*this);
                }),
          body(std::move(f)) {}
    CountedTimer timer;
    std::function<void(NotedTimer&)> body;
    TimePoint deadline{};
    std::uint64_t turn = 0;
};

TEST_F(TimerTest, Contract4_NeverFiresBeforeItsDeadlineOnTheSteadyClock) {
    std::mt19937_64 random(4);
    std::uniform_int_distribution<std::int64_t> delay_ns(0, 30'000'000);
    std::vector<std::unique_ptr<NotedTimer>> timers;
    std::size_t fired = 0;
    for (int i = 0; i < 2000; ++i) {
        timers.push_back(std::make_unique<NotedTimer>(loop(), [&](NotedTimer& timer) {
            EXPECT_GE(std::chrono::steady_clock::now(), timer.deadline);
            ++fired;
        }));
        NotedTimer& timer = *timers.back();
        const Duration delay(delay_ns(random));
        timer.deadline = loop().now() + delay;
        if (i % 2 == 0) {
            timer.timer.start_after(delay);
        } else {
            timer.timer.start_at(timer.deadline);
        }
    }
    run_until([&] { return fired == timers.size(); });
    for (const auto& timer : timers) EXPECT_EQ(timer->timer.fired, 1);
}

// From inside callbacks `now()` is older than the clock: the case where a cached clock fires early.
TEST_F(TimerTest, Contract4_NeverFiresEarlyWhenStartedFromACallback) {
    std::mt19937_64 random(5);
    std::uniform_int_distribution<std::int64_t> delay_ns(0, 1'500'000);
    TimePoint deadline;
    CountedTimer timer(loop());
    const auto start = [&] {
        const Duration delay(delay_ns(random));
        deadline = loop().now() + delay;
        timer.start_after(delay);
    };
    timer.body = [&] {
        EXPECT_GE(std::chrono::steady_clock::now(), deadline);
        start();
    };
    start();
    run_until([&] { return timer.fired == 300; });
}

TEST_F(TimerTest, Contract4_FiresAtItsDeadlineAndNotBeforeOnAControlledClock) {
    if (!has_clock()) GTEST_SKIP() << "the loop has no controllable clock";
    for (const Duration delay :
         {Duration(1ns), Duration(999ns), Duration(1us), Duration(64us), Duration(4096us),
          Duration(1s), Duration(65536s), Duration(24h * 400)}) {
        ManualClock clock;
        Loop& fresh = make_loop(with_clock(clock));
        turn();
        CountedTimer timer(fresh);
        timer.start_at(clock.now() + delay);
        advance(clock, delay - 1ns);
        advance(clock, 0ns);
        EXPECT_EQ(timer.fired, 0) << delay.count() << " ns: early";
        advance(clock, resolution());
        EXPECT_EQ(timer.fired, 1) << delay.count() << " ns: late";
    }
}

TEST_F(TimerTest, Contract4_StartAfterCountsFromNowWhichIsReadOncePerPoll) {
    if (!has_clock()) GTEST_SKIP() << "the loop has no controllable clock";
    ManualClock clock;
    Loop& fresh = make_loop(with_clock(clock));
    CountedTimer timer(fresh);
    TimePoint base;
    Callback callback([&] {
        base = fresh.now();
        clock.advance(1s);
        EXPECT_EQ(fresh.now(), base);
        timer.start_after(2s);
    });
    fresh.post(callback);
    turn();
    EXPECT_EQ(timer.fired, 0);
    clock.advance(base + 2s - 1ns - clock.now());
    turns(2);
    EXPECT_EQ(timer.fired, 0);
    advance(clock, 1ns + resolution());
    EXPECT_EQ(timer.fired, 1);
}

TEST_F(TimerTest, Contract4_NowIsTheSteadyClockAtTheLastPoll) {
    TimePoint previous = loop().now();
    for (int i = 0; i < 100; ++i) {
        const TimePoint before = std::chrono::steady_clock::now();
        turn();
        const TimePoint now = loop().now();
        EXPECT_LE(now, std::chrono::steady_clock::now());
        EXPECT_GE(now + resolution(), before);
        EXPECT_GE(now, previous);
        EXPECT_EQ(loop().now(), now);
        previous = now;
    }
}

TEST_F(TimerTest, Contract4_ACancelledTimerDoesNotFire) {
    CountedTimer timer(loop()), later(loop());
    timer.start_after(0ns);
    timer.cancel();
    EXPECT_FALSE(timer.pending());
    timer.cancel();
    later.start_after(2ms);
    run_until([&] { return later.fired == 1; });
    turns(2);
    EXPECT_EQ(timer.fired, 0);
}

// Each of the two is due when the other one runs.
TEST_F(TimerTest, Contract4_ACancelInTheTurnInWhichATimerIsDueIsObeyed) {
    for (const Duration apart : {Duration(0), Duration(1ns), Duration(100us)}) {
        CountedTimer one(loop()), two(loop());
        one.body = [&] { two.cancel(); };
        two.body = [&] { one.cancel(); };
        const TimePoint past = loop().now() - 1s;
        one.start_at(past);
        two.start_at(past + apart);
        run_until([&] { return one.fired + two.fired > 0; });
        turns(3);
        EXPECT_EQ(one.fired + two.fired, 1);
        EXPECT_FALSE(one.pending());
        EXPECT_FALSE(two.pending());
    }
}

// A thousand that are due in one turn: the first to run cancels every other one.
TEST_F(TimerTest, Contract4_CancellingManyOfTheSameTurnStopsExactlyThose) {
    std::vector<std::unique_ptr<CountedTimer>> timers;
    for (int i = 0; i < 1000; ++i) timers.push_back(std::make_unique<CountedTimer>(loop()));
    CountedTimer first(loop(), [&] {
        for (std::size_t i = 0; i < timers.size(); i += 2) timers[i]->cancel();
    });
    const TimePoint past = loop().now() - 1s;
    first.start_at(past - 1s);
    for (const auto& timer : timers) timer->start_at(past);
    run_until([&] { return first.fired > 0; });
    turns(3);
    for (std::size_t i = 0; i < timers.size(); ++i) {
        EXPECT_EQ(timers[i]->fired, static_cast<int>(i % 2)) << i;
    }
}

TEST_F(TimerTest, Contract4_ATimerAndAnEventOfTheSameTurnMayCancelEachOther) {
    for (int i = 0; i < 20; ++i) {
        const Pipe pipe;
        CountedTimer timer(loop());
        CountedWatch watch(loop(), pipe.read.get());
        timer.body = [&] { watch.stop(); };
        watch.body = [&](Interest) {
            timer.cancel();
            watch.stop();
        };
        ASSERT_TRUE(watch.start(Interest::readable).ok());
        timer.start_at(loop().now() - 1s);
        pipe.put();
        turns(3);
        EXPECT_EQ(timer.fired + watch.calls, 1);
    }
}

TEST_F(TimerTest, Contract4_AHundredThousandFireInTheOrderOfTheirDeadlines) {
    constexpr int count = 100'000;
    std::mt19937_64 random(7);
    std::uniform_int_distribution<std::int64_t> delay_ns(0, 200'000'000);
    std::vector<std::unique_ptr<NotedTimer>> timers;
    std::vector<TimePoint> fired;
    fired.reserve(count);
    for (int i = 0; i < count; ++i) {
        timers.push_back(std::make_unique<NotedTimer>(
            loop(), [&](NotedTimer& timer) { fired.push_back(timer.deadline); }));
        timers.back()->deadline = loop().now() + Duration(delay_ns(random));
        timers.back()->timer.start_at(timers.back()->deadline);
    }
    run_until([&] { return fired.size() == count; });
    // Deadlines that are a whole resolution apart differ after rounding, whatever its origin.
    TimePoint latest = fired.front();
    for (const TimePoint deadline : fired) {
        ASSERT_GT(deadline + resolution(), latest) << "fired behind a later one";
        latest = std::max(latest, deadline);
    }
    for (const auto& timer : timers) ASSERT_EQ(timer->timer.fired, 1);
}

TEST_F(TimerTest, Contract4_TheEarlierOfOneTurnRunsFirst) {
    std::mt19937_64 random(8);
    std::uniform_int_distribution<std::int64_t> age_ns(0, 10'000'000'000);
    std::vector<std::unique_ptr<NotedTimer>> timers;
    std::vector<TimePoint> fired;
    for (int i = 0; i < 5000; ++i) {
        timers.push_back(std::make_unique<NotedTimer>(
            loop(), [&](NotedTimer& timer) { fired.push_back(timer.deadline); }));
        timers.back()->deadline = loop().now() - 1h + Duration(age_ns(random));
        timers.back()->timer.start_at(timers.back()->deadline);
    }
    run_until([&] { return fired.size() == timers.size(); });
    TimePoint latest = fired.front();
    for (const TimePoint deadline : fired) {
        ASSERT_GT(deadline + resolution(), latest) << "fired behind a later one";
        latest = std::max(latest, deadline);
    }
}

TEST_F(TimerTest, Contract4_OfAHundredThousandExactlyTheUncancelledFire) {
    constexpr int count = 100'000;
    std::mt19937_64 random(9);
    std::uniform_int_distribution<std::int64_t> delay_ns(0, 50'000'000);
    std::vector<std::unique_ptr<CountedTimer>> timers;
    std::vector<int> expected;
    int pending = 0;
    for (int i = 0; i < count; ++i) {
        timers.push_back(std::make_unique<CountedTimer>(loop()));
        timers.back()->start_after(Duration(delay_ns(random)));
        expected.push_back(1);
    }
    for (int i = 0; i < count; ++i) {
        switch (random() % 4) {
            case 0:
                timers[i]->cancel();
                expected[i] = 0;
                break;
            case 1:
                timers[i]->start_after(Duration(delay_ns(random)));
                break;
            default:
                break;
        }
        pending += expected[i];
    }
    int fired = 0;
    for (const auto& timer : timers) timer->body = [&fired] { ++fired; };
    run_until([&] { return fired == pending; });
    turns(2);
    for (int i = 0; i < count; ++i) ASSERT_EQ(timers[i]->fired, expected[i]) << i;
}

TEST_F(TimerTest, Contract4_EqualDeadlinesRunInTheOrderStartedWhereDeclared) {
    if (!description().equal_deadlines_in_order) GTEST_SKIP() << "not declared";
    constexpr std::size_t count = 1000;
    std::vector<std::unique_ptr<CountedTimer>> timers;
    std::vector<std::size_t> order, expected;
    const TimePoint deadline = loop().now() + 1ms;
    for (std::size_t i = 0; i < count; ++i) {
        timers.push_back(
            std::make_unique<CountedTimer>(loop(), [&order, i] { order.push_back(i); }));
        timers.back()->start_at(deadline);
        if (i != 3) expected.push_back(i);
    }
    timers[3]->start_at(deadline);  // moved: now the last one started
    expected.push_back(3);
    run_until([&] { return order.size() == count; });
    EXPECT_EQ(order, expected);
}

TEST_F(TimerTest, Contract4_ATimerStartedInATurnFiresInALaterOneHoweverShort) {
    CountedTimer other(loop());
    std::uint64_t started = 0;
    other.body = [&] { EXPECT_GT(loop().counters().turns, started); };
    CountedTimer timer(loop());
    timer.body = [&] {
        EXPECT_GT(loop().counters().turns, started);
        started = loop().counters().turns;
        if (timer.fired % 2 == 0) {
            timer.start_after(0ns);
        } else {
            timer.start_at(loop().now() - 1s);
        }
        if (!other.pending()) other.start_at(TimePoint{});
    };
    Callback callback([&] {
        started = loop().counters().turns;
        timer.start_after(0ns);
    });
    loop().post(callback);
    run_until([&] { return timer.fired >= 100 && other.fired >= 10; });
    timer.cancel();
}

TEST_F(TimerTest, Contract4_StartingAPendingTimerMovesIt) {
    CountedTimer sooner(loop()), later(loop());
    sooner.start_after(1h);
    sooner.start_after(0ns);
    const TimePoint deadline = loop().now() + 10ms;
    later.body = [&] { EXPECT_GE(std::chrono::steady_clock::now(), deadline); };
    later.start_after(0ns);
    later.start_at(deadline);
    run_until([&] { return sooner.fired == 1 && later.fired == 1; });
    turns(3);
    EXPECT_EQ(sooner.fired, 1);
    EXPECT_EQ(later.fired, 1);
}

TEST_F(TimerTest, Contract4_ATimerMovedInTheTurnInWhichItIsDueFiresAtItsNewDeadline) {
    CountedTimer one(loop()), two(loop());
    const TimePoint past = loop().now() - 1s;
    TimePoint deadline;
    one.body = [&] {
        deadline = loop().now() + 5ms;
        two.start_at(deadline);
    };
    two.body = [&] { EXPECT_GE(std::chrono::steady_clock::now(), deadline); };
    one.start_at(past - 1s);
    two.start_at(past);
    run_until([&] { return two.fired > 0; });
    turns(3);
    EXPECT_EQ(one.fired, 1);
    EXPECT_EQ(two.fired, 1);
}

TEST_F(TimerTest, ZeroNegativeAndPastDeadlinesFire) {
    CountedTimer zero(loop()), negative(loop()), past(loop()), smallest(loop());
    zero.start_after(0ns);
    negative.start_after(-1h);
    past.start_at(loop().now() - 1h);
    smallest.start_at(TimePoint::min());
    run_until([&] {
        return zero.fired == 1 && negative.fired == 1 && past.fired == 1 && smallest.fired == 1;
    });
}

TEST_F(TimerTest, TimePointMaxNeverFires) {
    CountedTimer never(loop()), overflowing(loop()), soon(loop());
    never.start_at(TimePoint::max());
    overflowing.start_after(Duration::max());
    EXPECT_TRUE(never.pending());
    EXPECT_TRUE(overflowing.pending());
    soon.start_after(1ms);
    run_until([&] { return soon.fired == 1; });
    turns(3);
    EXPECT_EQ(never.fired, 0);
    EXPECT_EQ(overflowing.fired, 0);
}

TEST_F(TimerTest, ALoopWithoutTimersRuns) {
    Callback callback;
    loop().post(callback);
    complete(callback);
    turns(3);
    EXPECT_EQ(callback.completions, 1);
}

TEST_F(TimerTest, PendingSaysWhetherATimerWillFire) {
    CountedTimer timer(loop());
    bool pending_inside = true;
    timer.body = [&] { pending_inside = timer.pending(); };
    EXPECT_FALSE(timer.pending());
    timer.start_after(0ns);
    EXPECT_TRUE(timer.pending());
    run_until([&] { return timer.fired == 1; });
    EXPECT_FALSE(pending_inside);
    EXPECT_FALSE(timer.pending());
    timer.cancel();  // harmless
}

TEST_F(TimerTest, DestroyingAPendingTimerCancelsIt) {
    auto doomed = std::make_unique<CountedTimer>(loop(), [] { FAIL() << "fired"; });
    auto due = std::make_unique<CountedTimer>(loop(), [] { FAIL() << "fired"; });
    CountedTimer destroyer(loop(), [&] { due.reset(); });
    doomed->start_after(0ns);
    doomed.reset();
    destroyer.start_at(loop().now() - 2s);
    due->start_at(loop().now() - 1s);
    run_until([&] { return destroyer.fired == 1; });
    turns(3);
}

}  // namespace
}  // namespace loopbench::conformance
