// Cancelling tasks: sentence 6.

#include <algorithm>
#include <random>

#include "loops/awaitables.hpp"
#include "loops/combinators.hpp"
#include "loops/task.hpp"
#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class TaskCancelTest : public Conformance {
  protected:
    /// Cancels a task from a callback, and expects that it ends later, but within the next turn.
    template <class T>
    Result<T> cancel_and_expect_end_on_the_next_turn(Spawned<T, Loop>& task) {
        std::uint64_t requested = 0;
        Callback canceller([&] {
            EXPECT_FALSE(task.done());
            task.cancel();
            EXPECT_FALSE(task.done()) << "ended inside cancel";
            requested = loop().counters().turns;
        });
        loop().post(canceller);
        while (!task.done()) turn();
        EXPECT_LE(loop().counters().turns, requested + 2);  // the second is this loop's last turn
        return task.result();
    }
};

Task<Done> hour(Loop& loop) {
    const Result<> slept = co_await sleep_for(loop, 1h);
    if (!slept.ok()) co_return slept.failure();
    co_return Done{};
}

TEST_F(TaskCancelTest, Contract6_ASleepEndsOnTheNextTurn) {
    auto task = spawn(loop(), hour(loop()));
    turns(2);
    EXPECT_TRUE(cancel_and_expect_end_on_the_next_turn(task).cancelled());
}

TEST_F(TaskCancelTest, Contract6_AYieldEndsOnTheNextTurn) {
    const auto body = [&]() -> Task<> {
        for (;;) (co_await yield(loop())).value();
    };
    auto task = spawn(loop(), body());
    turns(2);
    EXPECT_TRUE(cancel_and_expect_end_on_the_next_turn(task).cancelled());
}

TEST_F(TaskCancelTest, Contract6_AWaitForAnEventEndsOnTheNextTurn) {
    Event event(loop());
    const auto body = [&]() -> Task<> { (co_await event.wait()).value(); };
    auto task = spawn(loop(), body());
    turns(2);
    EXPECT_TRUE(cancel_and_expect_end_on_the_next_turn(task).cancelled());
}

TEST_F(TaskCancelTest, Contract6_AWaitForAnotherTaskCancelsThatAndEndsOnTheNextTurn) {
    auto inner = spawn(loop(), hour(loop()));
    const auto waiting = [&]() -> Task<> { (co_await inner).value(); };
    auto outer = spawn(loop(), waiting());
    turns(2);
    EXPECT_TRUE(cancel_and_expect_end_on_the_next_turn(outer).cancelled());
    EXPECT_TRUE(inner.done());
}

TEST_F(TaskCancelTest, Contract6_ACancelGoesThroughAChainOfAwaits) {
    const auto middle = [&]() -> Task<Done> {
        const Result<Done> result = co_await hour(loop());
        EXPECT_TRUE(result.cancelled());
        co_return result.failure();
    };
    const auto outer = [&]() -> Task<> { (co_await middle()).value(); };
    auto task = spawn(loop(), outer());
    turns(2);
    EXPECT_TRUE(cancel_and_expect_end_on_the_next_turn(task).cancelled());
}

TEST_F(TaskCancelTest, Contract6_ReadWriteAcceptAndConnectEndCancelled) {
    for (const Transport transport : {Transport::unix_socket, Transport::tcp4}) {
        Loop::Stream stream(loop());
        const Peer peer = connect_stream(stream, transport);
        Loop::Listener listener(loop());
        ASSERT_TRUE(listener.listen(fresh_endpoint(transport), {}).ok());
        const std::string large = pattern(8 * 1024 * 1024);
        const auto reading = [&]() -> Task<> {
            std::byte buffer[16];
            (co_await read_some(stream, std::span(buffer))).value();
        };
        const auto writing = [&]() -> Task<> {
            (co_await write_all(stream, bytes_of(large))).value();
        };
        const auto accepting = [&]() -> Task<> {
            Loop::Stream into(loop());
            (co_await accept(listener, into)).value();
        };
        auto read = spawn(loop(), reading());
        auto write = spawn(loop(), writing());
        auto accepted = spawn(loop(), accepting());
        turns(3);
        for (auto* task : {&read, &write, &accepted}) {
            EXPECT_FALSE(task->done());
            task->cancel();
            EXPECT_FALSE(task->done()) << "ended inside cancel";
        }
        while (!read.done() || !write.done() || !accepted.done()) turn();
        EXPECT_TRUE(read.result().cancelled());
        EXPECT_TRUE(write.result().cancelled());
        EXPECT_TRUE(accepted.result().cancelled());
        close_and_wait(stream);
        close_and_wait(listener);
    }
    const PlainListener full(loopback(Transport::tcp4), 0);
    const Peer filler = plain_connect(full.endpoint());
    const auto connecting = [&]() -> Task<> {
        Loop::Stream into(loop());
        (co_await connect(into, full.endpoint())).value();
    };
    auto connected = spawn(loop(), connecting());
    turns(3);
    EXPECT_FALSE(connected.done());
    connected.cancel();
    while (!connected.done()) turn();
    EXPECT_TRUE(connected.result().cancelled());
}

TEST_F(TaskCancelTest, Contract6_ACancelIsDeliveredOnce) {
    int cancels = 0;
    const auto body = [&]() -> Task<> {
        if ((co_await sleep_for(loop(), 1h)).cancelled()) ++cancels;
        for (int i = 0; i < 5; ++i) {
            if ((co_await yield(loop())).cancelled()) ++cancels;
            if ((co_await sleep_for(loop(), 0ns)).cancelled()) ++cancels;
        }
    };
    auto task = spawn(loop(), body());
    turns(2);
    task.cancel();
    task.cancel();  // merges with the one that is not delivered yet
    while (!task.done()) turn();
    EXPECT_EQ(cancels, 1);
    EXPECT_TRUE(task.result().ok());
}

TEST_F(TaskCancelTest, Contract6_ATaskThatSwallowsItsCancelGoesOnAndCanBeCancelledAgain) {
    int cancels = 0;
    const auto body = [&]() -> Task<int> {
        while (cancels < 3) {
            if ((co_await sleep_for(loop(), 1h)).cancelled()) ++cancels;
        }
        co_return cancels;
    };
    auto task = spawn(loop(), body());
    for (int i = 1; i <= 3; ++i) {
        turns(2);
        EXPECT_FALSE(task.done());
        task.cancel();
        turns(2);
        EXPECT_EQ(cancels, i);
    }
    EXPECT_EQ(task.result().value(), 3);
}

TEST_F(TaskCancelTest, Contract6_AResultAlreadyObtainedWinsAndTheCancelStrikesAtTheNextAwait) {
    Event event(loop());
    std::string outcomes;
    const auto note = [&](const Result<>& result) { outcomes += result.ok() ? 'r' : 'c'; };
    const auto body = [&]() -> Task<> {
        note(co_await event.wait());
        note(co_await sleep_for(loop(), 1h));
        note(co_await yield(loop()));
    };
    auto task = spawn(loop(), body());
    turns(2);
    event.set();    // the task has its result, though it does not run yet
    task.cancel();  // and this comes too late for it
    while (!task.done()) turn();
    EXPECT_EQ(outcomes, "rcr");
}

TEST_F(TaskCancelTest, Contract6_ACancelledReadKeepsTheBytesForTheNext) {
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::unix_socket);
    std::string received;
    int cancels = 0;
    const auto body = [&]() -> Task<> {
        std::byte buffer[7];
        for (;;) {
            const Result<std::size_t> got = co_await read_some(stream, std::span(buffer));
            if (got.ok() && *got == 0) break;
            if (got.ok()) received.append(reinterpret_cast<const char*>(buffer), *got);
            if (got.cancelled()) ++cancels;
        }
    };
    auto task = spawn(loop(), body());
    const std::string sent = pattern(5000);
    std::mt19937_64 random(13);
    for (std::size_t i = 0; i < sent.size(); i += 10) {
        const bool before = random() % 2 == 0;
        if (before) task.cancel();
        while (peer.send_now(std::string_view(sent).substr(i, 10)) == 0) turn();
        if (!before) task.cancel();
        turns(static_cast<int>(random() % 3));
    }
    peer.shutdown_write();
    while (!task.done()) turn();
    EXPECT_TRUE(received == sent);
    EXPECT_GT(cancels, 0);
}

TEST_F(TaskCancelTest, Contract6_AFinishedTaskIgnoresACancel) {
    auto task = spawn(loop(), [](Loop& on) -> Task<int> {
        (co_await yield(on)).value();
        co_return 5;
    }(loop()));
    while (!task.done()) turn();
    task.cancel();
    turns(2);
    EXPECT_EQ(task.result().value(), 5);
}

TEST_F(TaskCancelTest, Contract6_ACancelBeforeTheFirstStepStrikesAtTheFirstAwait) {
    bool started = false;
    const auto body = [&]() -> Task<> {
        started = true;
        (co_await sleep_for(loop(), 1h)).value();
    };
    auto task = spawn(loop(), body());
    task.cancel();
    while (!task.done()) turn();
    EXPECT_TRUE(task.result().cancelled());
    EXPECT_TRUE(started);
}

TEST_F(TaskCancelTest, Contract6_ATaskMayCancelItselfAndIsStruckAtItsNextAwait) {
    std::optional<Spawned<void, Loop>> self;
    const auto body = [&]() -> Task<> {
        self->cancel();
        EXPECT_TRUE((co_await yield(loop())).cancelled());
        EXPECT_TRUE((co_await yield(loop())).ok());
    };
    self.emplace(spawn(loop(), body()));
    while (!self->done()) turn();
    EXPECT_TRUE(self->result().ok());
}

TEST_F(TaskCancelTest, Contract6_AStruckAwaitStartsNothing) {
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::unix_socket);
    peer.send("data");
    turns(2);
    Event set(loop());
    set.set();
    std::optional<Spawned<void, Loop>> self;
    const auto body = [&]() -> Task<> {
        std::byte buffer[16];
        self->cancel();
        EXPECT_TRUE((co_await read_some(stream, std::span(buffer))).cancelled());
        self->cancel();
        EXPECT_TRUE((co_await write_all(stream, bytes_of("never"))).cancelled());
        self->cancel();
        EXPECT_TRUE((co_await set.wait()).cancelled());
        EXPECT_EQ((co_await read_some(stream, std::span(buffer))).value(), 4u);
    };
    self.emplace(spawn(loop(), body()));
    while (!self->done()) turn();
    EXPECT_TRUE(self->result().ok());
    std::string received;
    EXPECT_EQ(peer.take(received, 16), 0u) << received;
}

TEST_F(TaskCancelTest, Contract6_ACancelledTaskClosesWhatItHasOpened) {
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::unix_socket);
    std::optional<Spawned<void, Loop>> self;
    const auto body = [&]() -> Task<> {
        self->cancel();
        EXPECT_TRUE((co_await close(stream)).ok());
        EXPECT_TRUE((co_await yield(loop())).cancelled());  // not forgotten
    };
    self.emplace(spawn(loop(), body()));
    while (!self->done()) turn();
    EXPECT_EQ(peer.drain(), 0);
}

TEST_F(TaskCancelTest, Contract6_AwaitingATaskThatWasCancelledIsNoCancelOfTheAwaiter) {
    auto inner = spawn(loop(), hour(loop()));
    const auto waiting = [&]() -> Task<> {
        EXPECT_TRUE((co_await inner).cancelled());
        EXPECT_TRUE((co_await yield(loop())).ok());
    };
    auto outer = spawn(loop(), waiting());
    turns(2);
    inner.cancel();
    while (!outer.done()) turn();
    EXPECT_TRUE(outer.result().ok());
}

TEST_F(TaskCancelTest, Contract6_AnAwaitedTaskThatSwallowsTheCancelGivesItsValue) {
    const auto stubborn = [&]() -> Task<int> {
        EXPECT_TRUE((co_await sleep_for(loop(), 1h)).cancelled());
        co_return 9;
    };
    auto inner = spawn(loop(), stubborn());
    const auto waiting = [&]() -> Task<int> { co_return (co_await inner).value(); };
    auto outer = spawn(loop(), waiting());
    turns(2);
    outer.cancel();
    while (!outer.done()) turn();
    EXPECT_EQ(outer.result().value(), 9);
}

TEST_F(TaskCancelTest, Contract6_WhenAllPassesACancelOn) {
    int cancelled = 0;
    const auto member = [&]() -> Task<Done> {
        const Result<> slept = co_await sleep_for(loop(), 1h);
        if (slept.cancelled()) ++cancelled;
        (co_await yield(loop())).value();
        co_return slept.failure();
    };
    const auto body = [&]() -> Task<> {
        const auto result = co_await when_all(loop(), member(), member(), member());
        EXPECT_TRUE(result.cancelled());
        EXPECT_EQ(cancelled, 3);
        EXPECT_TRUE((co_await yield(loop())).ok());
    };
    auto task = spawn(loop(), body());
    turns(2);
    task.cancel();
    while (!task.done()) turn();
    EXPECT_TRUE(task.result().ok());
}

TEST_F(TaskCancelTest, Contract6_WithTimeoutPassesACancelOn) {
    const auto body = [&]() -> Task<> {
        const Result<Done> result = co_await with_timeout(loop(), 10h, hour(loop()));
        EXPECT_TRUE(result.cancelled());
        EXPECT_TRUE((co_await yield(loop())).ok());
    };
    auto task = spawn(loop(), body());
    turns(2);
    task.cancel();
    while (!task.done()) turn();
    EXPECT_TRUE(task.result().ok());
}

// The deadlines of the limit and of the canceller both pass within one callback, so that one poll
// finds both due.
TEST_F(TaskCancelTest, Contract6_AnOuterCancelBeatsATimeoutOfTheSameTurn) {
    for (const Duration canceller_after : {Duration(1ms), Duration(3ms)}) {
        const auto body = [&]() -> Task<> {
            const Result<Done> result = co_await with_timeout(loop(), 2ms, hour(loop()));
            EXPECT_TRUE(result.cancelled()) << static_cast<int>(result.outcome());
        };
        auto task = spawn(loop(), body());
        CountedTimer canceller(loop(), [&] { task.cancel(); });
        Callback begin([&] {
            const TimePoint due = loop().now() + 10ms;
            canceller.start_after(canceller_after);
            while (std::chrono::steady_clock::now() < due) {
            }
        });
        loop().post(begin);
        while (!task.done()) turn();
        EXPECT_EQ(canceller.fired, 1);
    }
}

// As above, with a result in place of the cancel.
TEST_F(TaskCancelTest, Contract6_AResultBeatsATimeoutOfTheSameTurn) {
    Event event(loop());
    const auto inner = [&]() -> Task<int> {
        (co_await event.wait()).value();
        co_return 3;
    };
    const auto body = [&]() -> Task<int> {
        co_return (co_await with_timeout(loop(), 2ms, inner())).value();
    };
    auto task = spawn(loop(), body());
    CountedTimer setter(loop(), [&] { event.set(); });
    Callback begin([&] {
        const TimePoint due = loop().now() + 10ms;
        setter.start_after(1ms);
        while (std::chrono::steady_clock::now() < due) {
        }
    });
    loop().post(begin);
    while (!task.done()) turn();
    EXPECT_EQ(task.result().value(), 3);
}

TEST_F(TaskCancelTest, Contract6_TheOutcomeOfALetGoCancelIsCancelled) {
    loop().tasks().set_error_handler([](const Failure&) { ADD_FAILURE() << "is no failure"; });
    const auto throwing = [&]() -> Task<int> {
        (co_await sleep_for(loop(), 1h)).value();  // throws Cancelled
        co_return 1;
    };
    auto task = spawn(loop(), throwing());
    turns(2);
    task.cancel();
    while (!task.done()) turn();
    EXPECT_TRUE(task.result().cancelled());
}

TEST_F(TaskCancelTest, Contract6_TheTasksThatAreThereCanAllBeCancelledManyTimesOver) {
    std::mt19937_64 random(14);
    Event event(loop());
    const auto body = [&]() -> Task<> {
        for (int i = 0; i < 20; ++i) {
            const unsigned choice = random() % 4;
            if (choice == 0) {
                static_cast<void>(co_await yield(loop()));
            } else if (choice == 1) {
                static_cast<void>(co_await sleep_for(loop(), 100us));
            } else if (choice == 2) {
                static_cast<void>(co_await with_timeout(loop(), 50us, hour(loop())));
            } else {
                static_cast<void>(co_await event.wait());
            }
        }
    };
    std::vector<Spawned<void, Loop>> tasks;
    for (int i = 0; i < 200; ++i) tasks.push_back(spawn(loop(), body()));
    const auto all_done = [&] {
        return std::all_of(tasks.begin(), tasks.end(),
                           [](const auto& task) { return task.done(); });
    };
    while (!all_done()) {
        tasks[random() % tasks.size()].cancel();
        if (random() % 4 == 0) {
            event.set();
            event.clear();
        }
        turns(static_cast<int>(random() % 2));
    }
    for (auto& task : tasks) EXPECT_TRUE(task.result().ok());
}

}  // namespace
}  // namespace loopbench::conformance
