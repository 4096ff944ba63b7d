// Calls from other threads: sentence 9.

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class WakeupTest : public Conformance {};
class WakeupThreads : public Conformance {};

constexpr int thread_count = 4;

TEST_F(WakeupTest, Contract9_ANotificationBeforeTheLoopWaitsIsNotLost) {
    CountedWakeup wakeup(loop());
    wakeup.notify();
    EXPECT_EQ(wakeup.calls, 0) << "ran inside notify";
    run_until([&] { return wakeup.calls > 0; });
    EXPECT_EQ(wakeup.calls, 1);
}

TEST_F(WakeupTest, Contract9_ANotificationAfterTheLoopStoppedIsNotLost) {
    CountedWakeup wakeup(loop());
    Callback callback([&] { loop().stop(); });
    loop().post(callback);
    loop().run();
    wakeup.notify();
    run_until([&] { return wakeup.calls > 0; });
}

TEST_F(WakeupTest, Contract9_NotificationsMayCoalesceButEachIsFollowedByACall) {
    CountedWakeup wakeup(loop());
    for (int i = 0; i < 1000; ++i) wakeup.notify();
    run_until([&] { return wakeup.calls > 0; });
    turns(3);
    EXPECT_GE(wakeup.calls, 1);
    EXPECT_LE(wakeup.calls, 1000);
    const int calls = wakeup.calls;
    wakeup.notify();
    run_until([&] { return wakeup.calls > calls; });
}

TEST_F(WakeupTest, Contract9_ANotificationFromInsideTheCallComesAgain) {
    CountedWakeup wakeup(loop());
    bool inside = false;
    wakeup.body = [&] {
        EXPECT_FALSE(inside);
        inside = true;
        if (wakeup.calls < 100) wakeup.notify();
        inside = false;
    };
    wakeup.notify();
    run_until([&] { return wakeup.calls == 100; });
}

TEST_F(WakeupTest, Contract9_TwoWakeupsAreToldApart) {
    CountedWakeup one(loop()), two(loop());
    two.notify();
    run_until([&] { return two.calls == 1; });
    turns(2);
    EXPECT_EQ(one.calls, 0);
}

TEST_F(WakeupTest, ADestroyedWakeupIsNotCalled) {
    auto wakeup = std::make_unique<CountedWakeup>(loop(), [] { FAIL() << "called"; });
    wakeup->notify();
    wakeup.reset();
    turns(3);

    // Destroyed by the other one in the turn in which both are to be called.
    std::array<std::unique_ptr<CountedWakeup>, 2> pair;
    int calls = 0;
    for (std::size_t i = 0; i < 2; ++i) {
        pair[i] = std::make_unique<CountedWakeup>(loop(), [&pair, &calls, i] {
            ++calls;
            pair[1 - i].reset();
        });
    }
    for (const auto& each : pair) each->notify();
    run_until([&] { return calls > 0; });
    turns(3);
    EXPECT_EQ(calls, 1);
}

TEST_F(WakeupTest, Contract9_ThreadsafePostsOfTheLoopsOwnThreadAreFirstInFirstOut) {
    std::vector<int> order, expected;
    std::vector<std::unique_ptr<Callback>> callbacks;
    for (int i = 0; i < 100; ++i) {
        callbacks.push_back(std::make_unique<Callback>([&order, i] { order.push_back(i); }));
        loop().post_threadsafe(*callbacks.back());
        EXPECT_TRUE(order.empty()) << "ran inside post_threadsafe";
        expected.push_back(i);
    }
    run_until([&] { return order.size() == callbacks.size(); });
    EXPECT_EQ(order, expected);
}

TEST_F(WakeupTest, Contract9_AThreadsafePostMayPostItselfAgainAndStarvesNobody) {
    CountedTimer timer(loop());
    timer.start_after(1ms);
    Callback callback;
    callback.body = [&] {
        if (timer.fired == 0) loop().post_threadsafe(callback);
    };
    loop().post_threadsafe(callback);
    run_until([&] { return timer.fired == 1; });
    turns(3);
}

// Each notification waits for the call of the one before, so that most find the loop waiting.
TEST_F(WakeupThreads, Contract9_ANotificationWhileTheLoopWaitsIsNotLost) {
    constexpr int rounds = 5000;
    std::atomic<int> calls = 0;
    CountedWakeup wakeup(loop(), [&] {
        ++calls;
        calls.notify_one();
    });
    std::thread notifier([&] {
        for (int round = 0; round < rounds; ++round) {
            wakeup.notify();
            calls.wait(round);
        }
    });
    run_until([&] { return calls == rounds; });
    notifier.join();
    EXPECT_EQ(wakeup.calls, rounds);
}

// What a thread wrote before its last notification is what the loop sees in the end.
TEST_F(WakeupThreads, Contract9_NotificationsFromFourThreadsAreNeverLost) {
    constexpr int notifications = 20'000;
    struct Sender {
        std::atomic<int> written = 0;
        int seen = 0;
        std::optional<CountedWakeup> wakeup;
    };
    std::array<Sender, thread_count> senders;
    for (Sender& sender : senders) {
        sender.wakeup.emplace(loop(), [&sender] { sender.seen = sender.written; });
    }
    std::vector<std::thread> threads;
    for (Sender& sender : senders) {
        threads.emplace_back([&sender] {
            for (int i = 1; i <= notifications; ++i) {
                sender.written = i;
                sender.wakeup->notify();
            }
        });
    }
    run_until([&] {
        return std::all_of(senders.begin(), senders.end(),
                           [](const Sender& sender) { return sender.seen == notifications; });
    });
    for (std::thread& thread : threads) thread.join();
    for (const Sender& sender : senders) EXPECT_LE(sender.wakeup->calls, notifications);
}

TEST_F(WakeupThreads, Contract9_OneWakeupServesFourThreads) {
    constexpr int notifications = 20'000;
    std::atomic<int> written = 0;
    int seen = 0;
    CountedWakeup wakeup(loop(), [&] { seen = written; });
    std::vector<std::thread> threads;
    for (int i = 0; i < thread_count; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < notifications; ++n) {
                ++written;
                wakeup.notify();
            }
        });
    }
    run_until([&] { return seen == thread_count * notifications; });
    for (std::thread& thread : threads) thread.join();
}

TEST_F(WakeupThreads, Contract9_NotificationsReachALoopThatIsStoppedAndRunAgain) {
    constexpr int rounds = 2000;
    std::atomic<int> calls = 0;
    CountedWakeup wakeup(loop(), [&] {
        ++calls;
        calls.notify_one();
        loop().stop();
    });
    std::thread notifier([&] {
        for (int round = 0; round < rounds; ++round) {
            wakeup.notify();
            calls.wait(round);
        }
    });
    while (calls < rounds) loop().run();
    notifier.join();
    EXPECT_EQ(calls, rounds);
}

// Operations of one thread, numbered; `ran` checks that they come one after another.
struct Numbered : Operation {
    Numbered() : Operation(&run) {}
    static void run(Operation& operation) noexcept {
        auto& self = static_cast<Numbered&>(operation);
        EXPECT_EQ(*self.next_number, self.number) << "out of its thread's order";
        *self.next_number = self.number + 1;
        Until::check();
    }
    int number = 0;
    int* next_number = nullptr;
};

TEST_F(WakeupThreads, Contract9_ThreadsafePostsAreNeverLostAndKeepTheirThreadsOrder) {
    constexpr int posts = 20'000;
    for (const bool stopping : {false, true}) {
        std::array<std::vector<Numbered>, thread_count> operations;
        std::array<int, thread_count> ran{};
        for (int t = 0; t < thread_count; ++t) {
            operations[t] = std::vector<Numbered>(posts);
            for (int i = 0; i < posts; ++i) {
                operations[t][i].number = i;
                operations[t][i].next_number = &ran[t];
            }
        }
        std::vector<std::thread> threads;
        for (auto& of_thread : operations) {
            threads.emplace_back([this, &of_thread] {
                for (Numbered& operation : of_thread) loop().post_threadsafe(operation);
            });
        }
        const auto all_ran = [&] {
            return std::all_of(ran.begin(), ran.end(), [](int count) { return count == posts; });
        };
        if (stopping) {
            while (!all_ran()) turn();
        } else {
            run_until(all_ran);
        }
        for (std::thread& thread : threads) thread.join();
        turns(2);
        for (const int count : ran) EXPECT_EQ(count, posts);
    }
}

TEST_F(WakeupThreads, Contract9_WhatWasPostedFromAThreadBeforeRunRuns) {
    std::vector<Numbered> operations(100);
    int ran = 0;
    std::thread([&] {
        for (int i = 0; i < 100; ++i) {
            operations[i].number = i;
            operations[i].next_number = &ran;
            loop().post_threadsafe(operations[i]);
        }
    }).join();
    run_until([&] { return ran == 100; });
}

TEST_F(WakeupThreads, Contract9_ALoopThatIsKeptBusyStillSeesThreads) {
    Callback forever;
    forever.body = [&] { loop().post(forever); };
    loop().post(forever);
    CountedWakeup wakeup(loop());
    Callback posted;
    std::thread thread([&] {
        wakeup.notify();
        loop().post_threadsafe(posted);
    });
    run_until([&] { return wakeup.calls == 1 && posted.completions == 1; });
    thread.join();
    forever.body = nullptr;
    turns(2);
}

}  // namespace
}  // namespace loopbench::conformance
