// Posts, passes, turns, stopping: sentences 1, 2, 3, 5 and 10.

#include <algorithm>

#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class QueueTest : public Conformance {};

TEST_F(QueueTest, Contract1_APostedOperationDoesNotRunInsidePost) {
    bool posting = true;
    Callback callback([&] { EXPECT_FALSE(posting); });
    loop().post(callback);
    EXPECT_EQ(callback.completions, 0);
    posting = false;
    complete(callback);
    EXPECT_EQ(callback.completions, 1);
}

TEST_F(QueueTest, Contract1_AnOperationMayBePostedAnewFromInsideItself) {
    Callback callback;
    callback.body = [&] {
        if (callback.completions < 1000) loop().post(callback);
    };
    loop().post(callback);
    run_until([&] { return callback.completions == 1000; });
    turns(3);
    EXPECT_EQ(callback.completions, 1000);
}

TEST_F(QueueTest, Contract1_AnOperationMayBeDestroyedFromInsideItself) {
    struct Owned : Operation {
        Owned(Loop& l, bool& g) : Operation(&run), loop(l), gone(g) {}
        ~Owned() { gone = true; }
        static void run(Operation& operation) noexcept {
            auto& self = static_cast<Owned&>(operation);
            Loop& stopped = self.loop;
            const std::unique_ptr<Owned> owner(&self);
            stopped.stop();
        }
        Loop& loop;
        bool& gone;
    };
    bool gone = false;
    loop().post(*std::make_unique<Owned>(loop(), gone).release());
    loop().run();
    EXPECT_TRUE(gone);
}

TEST_F(QueueTest, Contract2_PostsAreFirstInFirstOut) {
    std::vector<int> order;
    std::vector<std::unique_ptr<Callback>> callbacks;
    std::vector<int> expected;
    for (int i = 0; i < 1000; ++i) {
        callbacks.push_back(std::make_unique<Callback>([&order, i] { order.push_back(i); }));
        loop().post(*callbacks.back());
        expected.push_back(i);
    }
    run_until([&] { return order.size() == callbacks.size(); });
    EXPECT_EQ(order, expected);
}

// `stop` lets the current pass finish, and so shows where it ends.
TEST_F(QueueTest, Contract2_WhatIsPostedDuringAPassRunsInTheNext) {
    std::string order;
    Callback third([&] { order += 'c'; });
    Callback fourth([&] { order += 'd'; });
    Callback first([&] {
        order += 'a';
        loop().post(third);
        loop().stop();
    });
    Callback second([&] {
        order += 'b';
        loop().post(fourth);
    });
    loop().post(first);
    loop().post(second);
    loop().run();
    EXPECT_EQ(order, "ab");
    complete(third, fourth);
    EXPECT_EQ(order, "abcd");
}

// Notes in which turn each of `chains` self-posting operations ran, until `limit` callbacks.
std::vector<std::uint64_t> turns_of_self_posting(Loop& loop, int chains, std::size_t limit) {
    std::vector<std::uint64_t> ran;
    std::vector<std::unique_ptr<Callback>> callbacks;
    for (int i = 0; i < chains; ++i) {
        callbacks.push_back(std::make_unique<Callback>());
        Callback& callback = *callbacks.back();
        callback.body = [&] {
            ran.push_back(loop.counters().turns);
            if (ran.size() < limit) loop.post(callback);
        };
        loop.post(callback);
    }
    Until::run(loop, [&] { return ran.size() == limit + static_cast<std::size_t>(chains) - 1; });
    return ran;
}

// The lengths of the runs of equal turns, without the first and the last, which may be cut short.
std::vector<std::size_t> whole_turns(const std::vector<std::uint64_t>& ran) {
    std::vector<std::size_t> lengths;
    for (std::size_t i = 0; i < ran.size(); ++i) {
        if (i == 0 || ran[i] != ran[i - 1]) lengths.push_back(0);
        ++lengths.back();
    }
    if (lengths.size() < 2) return {};
    return std::vector<std::size_t>(lengths.begin() + 1, lengths.end() - 1);
}

TEST_F(QueueTest, Contract3_APollComesAtTheFirstEndOfAPassAfterPollIntervalCallbacks) {
    if (!Loop::describe().settable_poll_interval) GTEST_SKIP() << "the poll interval is fixed";
    struct Expected {
        unsigned interval;
        int chains;  // callbacks a pass
        std::size_t callbacks_a_turn;
    };
    for (const auto& [interval, chains, callbacks_a_turn] :
         {Expected{61, 1, 61}, Expected{1, 1, 1}, Expected{2, 1, 2}, Expected{3, 2, 4},
          Expected{4, 2, 4}, Expected{1, 5, 5}, Expected{10, 7, 14}}) {
        Loop& fresh = make_loop(with_poll_interval(interval));
        const auto lengths = whole_turns(turns_of_self_posting(fresh, chains, 1000));
        ASSERT_FALSE(lengths.empty()) << "never polled at interval " << interval;
        for (const std::size_t length : lengths) {
            ASSERT_EQ(length, callbacks_a_turn) << "interval " << interval << ", " << chains;
        }
    }
}

TEST_F(QueueTest, Contract3_APollComesWheneverTheReadyQueueIsEmpty) {
    Callback callback;
    std::vector<std::uint64_t> ran;
    CountedTimer timer(loop());
    timer.body = [&] {
        ran.push_back(loop().counters().turns);
        if (timer.fired == 1) loop().post(callback);
        timer.start_after(0ns);
    };
    callback.body = [&] { EXPECT_EQ(loop().counters().turns, ran.back()); };
    timer.start_after(0ns);
    run_until([&] { return timer.fired == 3; });
    EXPECT_EQ(callback.completions, 1);
    for (std::size_t i = 1; i < ran.size(); ++i) EXPECT_GT(ran[i], ran[i - 1]);
}

TEST_F(QueueTest, Contract3_CallbacksOfIoAndTimersRunBeforeThePassesOfTheirTurn) {
    Loop& fresh = make_loop(with_poll_interval(5));
    const Pipe pipe;
    std::uint64_t turn_of_last_post = 0;
    int checked_callbacks = 0;
    const auto polled = [&] {
        EXPECT_GT(fresh.counters().turns, turn_of_last_post) << "ran behind a pass of its turn";
        ++checked_callbacks;
    };
    CountedWatch watch(fresh, pipe.read.get(), [&](Interest) {
        polled();
        pipe.empty();
    });
    CountedTimer timer(fresh, polled);
    Callback callback;
    callback.body = [&] {
        turn_of_last_post = fresh.counters().turns;
        if (callback.completions % 13 == 0) pipe.put();
        if (callback.completions % 17 == 0) timer.start_after(0ns);
        fresh.post(callback);
    };
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    fresh.post(callback);
    run_until([&] { return checked_callbacks >= 100; });
    EXPECT_GT(watch.calls, 0);
    EXPECT_GT(timer.fired, 0);
    callback.body = nullptr;
    turns(2);
}

TEST_F(QueueTest, Contract3_AnOperationThatPostsItselfForEverStarvesNobody) {
    for (const unsigned interval : {61u, 1u}) {
        Loop& fresh = make_loop(with_poll_interval(interval));
        Loop::Stream stream(fresh);
        const Peer peer = connect_stream(stream, Transport::unix_socket);
        Callback forever;
        forever.body = [&] { fresh.post(forever); };
        fresh.post(forever);
        CountedTimer timer(fresh);
        timer.start_after(1ms);
        CountedWakeup wakeup(fresh);
        wakeup.notify();
        Recorder recorder;
        stream.start_reading(recorder);
        peer.send("served");
        run_until(
            [&] { return timer.fired > 0 && wakeup.calls > 0 && recorder.received == "served"; });
        EXPECT_GT(forever.completions, 0);
        forever.body = nullptr;
        turns(2);
    }
}

TEST_F(QueueTest, Contract5_NothingElseRunsUntilTheRunningCallbackReturns) {
    const Pipe pipe;
    CountedWatch watch(loop(), pipe.read.get(), [&](Interest) { pipe.empty(); });
    CountedTimer timer(loop());
    CountedWakeup wakeup(loop());
    Callback posted;
    Callback callback([&] {
        ASSERT_TRUE(watch.start(Interest::readable).ok());
        pipe.put();
        timer.start_after(0ns);
        wakeup.notify();
        loop().post(posted);
        EXPECT_EQ(watch.calls + timer.fired + wakeup.calls + posted.completions, 0);
    });
    loop().post(callback);
    run_until([&] {
        return watch.calls > 0 && timer.fired > 0 && wakeup.calls > 0 && posted.completions > 0;
    });
}

TEST_F(QueueTest, Contract10_StopLetsTheCurrentPassFinish) {
    Callback first([&] { loop().stop(); });
    Callback second, third;
    loop().post(first);
    loop().post(second);
    loop().post(third);
    loop().run();
    EXPECT_EQ(second.completions, 1);
    EXPECT_EQ(third.completions, 1);
}

TEST_F(QueueTest, Contract10_StopLetsTheDispatchOfWhatTheLastPollBroughtFinish) {
    const Pipe one, two;
    CountedWatch first(loop(), one.read.get(), [&](Interest) { loop().stop(); });
    CountedWatch second(loop(), two.read.get(), [&](Interest) { loop().stop(); });
    ASSERT_TRUE(first.start(Interest::readable).ok());
    ASSERT_TRUE(second.start(Interest::readable).ok());
    one.put();
    two.put();
    loop().run();
    EXPECT_EQ(first.calls, 1);
    EXPECT_EQ(second.calls, 1);
}

TEST_F(QueueTest, Contract10_StopFromATimerEndsTheRun) {
    CountedTimer timer(loop(), [&] { loop().stop(); });
    timer.start_after(0ns);
    loop().run();
    EXPECT_EQ(timer.fired, 1);
}

TEST_F(QueueTest, Contract10_AStopBeforeRunMakesItReturnAfterOneTurnThatDoesNotWait) {
    CountedTimer timer(loop());  // were it waited for, the test's watchdog would strike
    timer.start_after(1h);
    for (int i = 0; i < 10; ++i) {
        const std::uint64_t before = loop().counters().turns;
        loop().stop();
        loop().stop();
        loop().run();
        EXPECT_EQ(loop().counters().turns, before + 1);
    }
    EXPECT_EQ(timer.fired, 0);
}

TEST_F(QueueTest, Contract10_TheTurnAfterAStopBeforeRunServesWhatIsThere) {
    const Pipe pipe;
    CountedWatch watch(loop(), pipe.read.get(), [&](Interest) { pipe.empty(); });
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    pipe.put();
    Callback callback;
    loop().post(callback);
    turn();
    EXPECT_EQ(watch.calls, 1);
    EXPECT_EQ(callback.completions, 1);
}

TEST_F(QueueTest, Contract10_ALoopCanBeRunAgainAndNothingQueuedIsLost) {
    std::vector<std::unique_ptr<Callback>> callbacks;
    int ran = 0, runs = 0;
    for (int i = 0; i < 100; ++i) {
        callbacks.push_back(std::make_unique<Callback>());
        Callback& callback = *callbacks.back();
        // Each posts itself twice more and stops the loop every time.
        callback.body = [&] {
            ++ran;
            loop().stop();
            if (callback.completions < 3) loop().post(callback);
        };
        loop().post(callback);
    }
    while (ran < 300) {
        loop().run();
        ++runs;
    }
    EXPECT_EQ(runs, 3);
    for (const auto& callback : callbacks) EXPECT_EQ(callback->completions, 3);
}

TEST_F(QueueTest, Contract10_WhatIsPendingStaysSoAcrossAStop) {
    const Pipe pipe;
    CountedWatch watch(loop(), pipe.read.get(), [&](Interest) { pipe.empty(); });
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    CountedTimer timer(loop());
    timer.start_after(1ms);
    Callback callback([&] { loop().stop(); });
    loop().post(callback);
    loop().run();
    pipe.put();
    run_until([&] { return watch.calls == 1 && timer.fired == 1; });
}

TEST_F(QueueTest, ADescriptionNamesTheLoopAndItsOperations) {
    const LoopDescription description = Loop::describe();
    EXPECT_FALSE(description.name.empty());
    EXPECT_FALSE(description.library.empty());
    EXPECT_FALSE(description.version.empty());
    EXPECT_GT(description.timer_resolution, 0ns);
    for (const char* operation :
         {"post", "timer", "wakeup", "readiness", "push", "pull", "listen", "connect"}) {
        EXPECT_EQ(std::count_if(description.operations.begin(), description.operations.end(),
                                [&](const auto& entry) { return entry.first == operation; }),
                  1)
            << operation;
    }
    for (const ArmKey& key : description.keys) EXPECT_FALSE(key.values.empty()) << key.key;
}

}  // namespace
}  // namespace loopbench::conformance
