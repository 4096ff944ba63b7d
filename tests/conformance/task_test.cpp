// Tasks: spawning, awaiting, failing, events, combinators, stack and frames. Sentences 1, 5 and 11.

#include <stdexcept>

#include "loops/awaitables.hpp"
#include "loops/combinators.hpp"
#include "loops/task.hpp"
#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class TaskTest : public Conformance {};

/// Counts how many of it live: put into a frame, it says whether the frame was freed.
struct Guard {
    explicit Guard(int& count) : living(count) { ++living; }
    Guard(const Guard& other) : living(other.living) { ++living; }
    ~Guard() { --living; }
    int& living;
};

Task<int> number(Loop& loop, int value, int yields) {
    for (int i = 0; i < yields; ++i) (co_await yield(loop)).value();
    co_return value;
}

Task<Done> fail_with(Loop& loop, Failure failure, int yields) {
    for (int i = 0; i < yields; ++i) (co_await yield(loop)).value();
    co_return failure;
}

TEST_F(TaskTest, RunUntilCompleteGivesTheTasksResult) {
    EXPECT_EQ(run_until_complete(loop(), number(loop(), 42, 0)).value(), 42);
    EXPECT_EQ(run_until_complete(loop(), number(loop(), 43, 3)).value(), 43);
    EXPECT_EQ(run_until_complete(loop(), fail_with(loop(), Failure::from_errno(EIO), 1)).error(),
              std::errc::io_error);
    bool ran = false;
    const auto nothing = [&]() -> Task<> {
        (co_await sleep_for(loop(), 1ms)).value();
        ran = true;
    };
    EXPECT_TRUE(run_until_complete(loop(), nothing()).ok());
    EXPECT_TRUE(ran);
}

TEST_F(TaskTest, RunUntilCompleteLeavesOtherTasksToTheNextRun) {
    const auto count = [&](int& counted) -> Task<> {
        for (; counted < 10; ++counted) (co_await yield(loop())).value();
    };
    int counted = 0;
    auto other = spawn(loop(), count(counted));
    EXPECT_EQ(run_until_complete(loop(), number(loop(), 1, 1)).value(), 1);
    EXPECT_LT(counted, 10);
    while (!other.done()) turn();
    EXPECT_EQ(counted, 10);
}

TEST_F(TaskTest, ATaskStartsFromTheReadyQueue) {
    std::string order;
    const auto body = [&](char name) -> Task<> {
        order += name;
        co_return;
    };
    auto one = spawn(loop(), body('1'));
    auto two = spawn(loop(), body('2'));
    EXPECT_EQ(order, "");
    EXPECT_FALSE(one.done());
    turn();
    EXPECT_EQ(order, "12");
    EXPECT_TRUE(one.done() && two.done());
}

TEST_F(TaskTest, AwaitingATaskGivesItsResult) {
    const auto body = [&]() -> Task<int> {
        auto slow = spawn(loop(), number(loop(), 1, 5));
        auto fast = spawn(loop(), number(loop(), 10, 0));
        auto failing = spawn(loop(), fail_with(loop(), Failure::from_errno(EPIPE), 2));
        const int first = (co_await slow).value();
        EXPECT_TRUE(fast.done());
        const int second = (co_await fast).value();  // done already
        const int third = (co_await number(loop(), 100, 2)).value();
        const Result<Done> failed = co_await failing;
        EXPECT_EQ(failed.error(), std::errc::broken_pipe);
        co_return first + second + third;
    };
    EXPECT_EQ(run_until_complete(loop(), body()).value(), 111);
}

TEST_F(TaskTest, ADroppedTaskRunsOn) {
    int living = 0, ended = 0;
    const auto body = [&](Guard) -> Task<> {
        (co_await sleep_for(loop(), 1ms)).value();
        (co_await yield(loop())).value();
        ++ended;
        loop().stop();
    };
    { auto dropped = spawn(loop(), body(Guard(living))); }
    loop().run();
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(living, 0);
    EXPECT_TRUE(loop().tasks().empty());
}

TEST_F(TaskTest, AnExceptionIsTheTasksFailure) {
    const auto throwing = [&](int what) -> Task<int> {
        (co_await yield(loop())).value();
        if (what == 0) throw std::runtime_error("own");
        if (what == 1) throw std::system_error(ENOENT, std::generic_category());
        if (what == 2) throw Cancelled();
        if (what == 3) throw TimedOut();
        co_return what;
    };
    const Result<int> own = run_until_complete(loop(), throwing(0));
    EXPECT_EQ(own.outcome(), Outcome::exception);
    EXPECT_THROW(own.failure().raise(), std::runtime_error);
    EXPECT_EQ(run_until_complete(loop(), throwing(1)).error(),
              std::errc::no_such_file_or_directory);
    EXPECT_TRUE(run_until_complete(loop(), throwing(2)).cancelled());
    EXPECT_TRUE(run_until_complete(loop(), throwing(3)).timed_out());
    EXPECT_EQ(run_until_complete(loop(), throwing(4)).value(), 4);
}

TEST_F(TaskTest, AnExceptionPassesThroughTheAwaitsByValue) {
    const auto inner = [&]() -> Task<int> {
        (co_await yield(loop())).value();
        throw std::out_of_range("inner");
    };
    const auto middle = [&]() -> Task<int> { co_return (co_await inner()).value() + 1; };
    const auto outer = [&]() -> Task<int> {
        try {
            co_return (co_await middle()).value();
        } catch (const std::out_of_range&) {
            co_return -1;
        }
    };
    EXPECT_EQ(run_until_complete(loop(), outer()).value(), -1);
    const Result<int> escaped = run_until_complete(loop(), middle());
    EXPECT_THROW(escaped.failure().raise(), std::out_of_range);
}

TEST_F(TaskTest, Contract1_AnUnobservedFailureReachesTheLoopsErrorHandler) {
    std::vector<Failure> failures;
    loop().tasks().set_error_handler([&](const Failure& failure) { failures.push_back(failure); });
    spawn(loop(), fail_with(loop(), Failure::from_errno(EIO), 0)).detach();
    turns(2);
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].error(), std::errc::io_error);
    const auto throwing = [&]() -> Task<> {
        (co_await yield(loop())).value();
        throw std::runtime_error("own");
    };
    {
        auto kept = spawn(loop(), throwing());
        turns(3);
        ASSERT_TRUE(kept.done());
        EXPECT_EQ(failures.size(), 1u) << "it may still be observed";
    }
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_THROW(failures[1].raise(), std::runtime_error);
}

TEST_F(TaskTest, Contract1_SuccessObservedFailureAndCancelAreNoFailures) {
    loop().tasks().set_error_handler(
        [](const Failure&) { ADD_FAILURE() << "was told of no failure"; });
    spawn(loop(), number(loop(), 1, 2)).detach();
    spawn(loop(), fail_with(loop(), Failure::cancelled(), 1)).detach();
    auto cancelled = spawn(loop(), number(loop(), 1, 100));
    cancelled.cancel();
    cancelled.detach();
    const auto observing = [&]() -> Task<> {
        auto failing = spawn(loop(), fail_with(loop(), Failure::from_errno(EIO), 1));
        EXPECT_FALSE((co_await failing).ok());
    };
    EXPECT_TRUE(run_until_complete(loop(), observing()).ok());
    EXPECT_FALSE(run_until_complete(loop(), fail_with(loop(), Failure::from_errno(EIO), 1)).ok());
    turns(5);
    EXPECT_TRUE(loop().tasks().empty());
}

TEST_F(TaskTest, Contract1_WithoutAHandlerAFailureIsDropped) {
    spawn(loop(), fail_with(loop(), Failure::from_errno(EIO), 1)).detach();
    turns(3);
    EXPECT_TRUE(loop().tasks().empty());
}

TEST_F(TaskTest, Contract5_YieldLetsEveryOtherReadyTaskGoFirst) {
    std::string order;
    const auto body = [&](char name) -> Task<> {
        for (int i = 0; i < 4; ++i) {
            order += name;
            (co_await yield(loop())).value();
        }
    };
    auto a = spawn(loop(), body('a'));
    auto b = spawn(loop(), body('b'));
    auto c = spawn(loop(), body('c'));
    run_until_complete(loop(), number(loop(), 0, 10)).value();
    EXPECT_EQ(order, "abcabcabcabc");
}

TEST_F(TaskTest, Contract5_ATaskRunsAloneUntilItAwaits) {
    int steps = 0;
    const auto other = [&]() -> Task<> {
        ++steps;
        co_return;
    };
    const auto body = [&]() -> Task<> {
        auto spawned = spawn(loop(), other());
        Event event(loop());
        event.set();
        EXPECT_EQ(steps, 0);
        (co_await yield(loop())).value();
        EXPECT_EQ(steps, 1);
    };
    EXPECT_TRUE(run_until_complete(loop(), body()).ok());
}

TEST_F(TaskTest, Contract3_ATaskThatYieldsForEverStarvesNobody) {
    for (const unsigned interval : {61u, 1u}) {
        Loop& fresh = make_loop(with_poll_interval(interval));
        bool served = false;
        const auto forever = [&]() -> Task<> {
            while (!served) (co_await yield(fresh)).value();
        };
        const auto sleeper = [&]() -> Task<> {
            (co_await sleep_for(fresh, 1ms)).value();
            served = true;
        };
        auto busy = spawn(fresh, forever());
        EXPECT_TRUE(run_until_complete(fresh, sleeper()).ok());
        turns(2);
        EXPECT_TRUE(busy.done());
    }
}

TEST_F(TaskTest, SleepsEndInTheOrderOfTheirDeadlinesAndNeverEarly) {
    std::string order;
    const TimePoint base = loop().now();
    const auto body = [&](char name, Duration delay, bool absolute) -> Task<> {
        const TimePoint deadline = absolute ? base + delay : loop().now() + delay;
        if (absolute) {
            (co_await sleep_until(loop(), deadline)).value();
        } else {
            (co_await sleep_for(loop(), delay)).value();
        }
        EXPECT_GE(std::chrono::steady_clock::now(), deadline);
        order += name;
    };
    std::vector<Task<Done>> tasks;
    const auto wrap = [](Task<> task) -> Task<Done> {
        (co_await std::move(task)).value();
        co_return Done{};
    };
    tasks.push_back(wrap(body('c', 30ms, false)));
    tasks.push_back(wrap(body('a', 0ms, true)));
    tasks.push_back(wrap(body('b', 15ms, true)));
    const auto all = [&]() -> Task<> { (co_await when_all(loop(), std::move(tasks))).value(); };
    EXPECT_TRUE(run_until_complete(loop(), all()).ok());
    EXPECT_EQ(order, "abc");
}

TEST_F(TaskTest, AnEventWakesAllWhoWaitInTheOrderInWhichTheyCame) {
    Event event(loop());
    std::string order;
    const auto waiter = [&](char name) -> Task<> {
        (co_await event.wait()).value();
        order += name;
    };
    std::vector<Spawned<void, Loop>> tasks;
    for (const char name : std::string("abcd")) tasks.push_back(spawn(loop(), waiter(name)));
    turns(3);
    EXPECT_EQ(order, "");
    EXPECT_FALSE(event.is_set());
    event.set();
    EXPECT_TRUE(event.is_set());
    EXPECT_EQ(order, "") << "a waiter ran inside set";
    event.clear();  // too late for those who were woken
    turns(2);
    EXPECT_EQ(order, "abcd");
}

TEST_F(TaskTest, AnEventThatIsSetIsNotWaitedFor) {
    Event event(loop());
    event.set();
    const auto body = [&]() -> Task<> {
        for (int i = 0; i < 3; ++i) (co_await event.wait()).value();
        event.clear();
        auto setter = spawn(loop(), [](Event<Loop>& set) -> Task<> {
            set.set();
            co_return;
        }(event));
        (co_await event.wait()).value();
        EXPECT_TRUE(event.is_set());
    };
    EXPECT_TRUE(run_until_complete(loop(), body()).ok());
}

TEST_F(TaskTest, ACancelledWaiterLeavesTheEvent) {
    Event event(loop());
    std::string order;
    const auto waiter = [&](char name) -> Task<> {
        const Result<> result = co_await event.wait();
        order += result.ok() ? name : '-';
    };
    auto a = spawn(loop(), waiter('a'));
    auto b = spawn(loop(), waiter('b'));
    auto c = spawn(loop(), waiter('c'));
    turns(2);
    b.cancel();
    turns(2);
    EXPECT_EQ(order, "-");
    event.set();
    turns(2);
    EXPECT_EQ(order, "-ac");
}

TEST_F(TaskTest, WhenAllGivesTheValuesInOrder) {
    const auto text = [&](std::string value) -> Task<std::string> {
        (co_await yield(loop())).value();
        co_return value;
    };
    const auto body = [&]() -> Task<> {
        auto [a, b, c] =
            (co_await when_all(loop(), number(loop(), 1, 9), text("two"), number(loop(), 3, 0)))
                .value();
        EXPECT_EQ(a, 1);
        EXPECT_EQ(b, "two");
        EXPECT_EQ(c, 3);
        std::vector<Task<int>> tasks;
        std::vector<int> expected;
        for (int i = 0; i < 100; ++i) {
            tasks.push_back(number(loop(), i, (i * 37) % 11));
            expected.push_back(i);
        }
        EXPECT_EQ((co_await when_all(loop(), std::move(tasks))).value(), expected);
        EXPECT_TRUE((co_await when_all(loop(), std::vector<Task<int>>())).value().empty());
    };
    EXPECT_TRUE(run_until_complete(loop(), body()).ok());
}

TEST_F(TaskTest, InWhenAllTheFirstErrorWinsAndAllAreWaitedFor) {
    bool slow_ended = false;
    const auto slow = [&]() -> Task<Done> {
        for (int i = 0; i < 20; ++i) (co_await yield(loop())).value();
        slow_ended = true;
        co_return Done{};
    };
    const auto body = [&]() -> Task<> {
        const auto result =
            co_await when_all(loop(), slow(), fail_with(loop(), Failure::from_errno(EIO), 9),
                              fail_with(loop(), Failure::from_errno(EPIPE), 4));
        EXPECT_EQ(result.error(), std::errc::broken_pipe);
        EXPECT_TRUE(slow_ended);
    };
    loop().tasks().set_error_handler([](const Failure&) { ADD_FAILURE() << "they are observed"; });
    EXPECT_TRUE(run_until_complete(loop(), body()).ok());
}

TEST_F(TaskTest, WithTimeoutGivesTheValueThatCameInTime) {
    const auto body = [&]() -> Task<int> {
        const int slow = (co_await with_timeout(loop(), 1h, number(loop(), 40, 5))).value();
        const int fast = (co_await with_timeout(loop(), 0ns, number(loop(), 2, 0))).value();
        const Result<Done> failed =
            co_await with_timeout(loop(), 1h, fail_with(loop(), Failure::from_errno(EIO), 1));
        EXPECT_EQ(failed.error(), std::errc::io_error);
        co_return slow + fast;
    };
    EXPECT_EQ(run_until_complete(loop(), body()).value(), 42);
}

TEST_F(TaskTest, WithTimeoutCancelsTheInnerTaskFirstAndSaysTimedOut) {
    std::string order;
    const auto inner = [&]() -> Task<Done> {
        const Result<> slept = co_await sleep_for(loop(), 1h);
        EXPECT_TRUE(slept.cancelled());
        order += 'i';
        (co_await yield(loop())).value();  // still runs to its own end
        order += 'j';
        co_return slept.failure();
    };
    const auto body = [&]() -> Task<> {
        const TimePoint deadline = loop().now() + 2ms;
        const Result<Done> result = co_await with_timeout(loop(), 2ms, inner());
        order += 'o';
        EXPECT_TRUE(result.timed_out());
        EXPECT_THROW(result.failure().raise(), TimedOut);
        EXPECT_GE(std::chrono::steady_clock::now(), deadline);
        (co_await yield(loop())).value();  // the outer task itself is not cancelled
    };
    EXPECT_TRUE(run_until_complete(loop(), body()).ok());
    EXPECT_EQ(order, "ijo");
}

TEST_F(TaskTest, AnInnerTaskThatHasAValueAllTheSameWinsOverTheTimeout) {
    const auto stubborn = [&]() -> Task<int> {
        if ((co_await sleep_for(loop(), 1h)).cancelled()) co_return 7;
        co_return 0;
    };
    const auto body = [&]() -> Task<int> {
        co_return (co_await with_timeout(loop(), 1ms, stubborn())).value();
    };
    EXPECT_EQ(run_until_complete(loop(), body()).value(), 7);
}

TEST_F(TaskTest, TimeoutsNest) {
    const auto forever = [&]() -> Task<Done> {
        (co_await sleep_for(loop(), 1h)).value();
        co_return Done{};
    };
    const auto inner = [&](Duration limit) -> Task<Done> {
        (co_await with_timeout(loop(), limit, forever())).value();
        co_return Done{};
    };
    const auto body = [&]() -> Task<> {
        const Result<Done> by_outer = co_await with_timeout(loop(), 1ms, inner(1h));
        EXPECT_TRUE(by_outer.timed_out());
        const Result<Done> by_inner = co_await with_timeout(loop(), 1h, inner(1ms));
        EXPECT_TRUE(by_inner.timed_out());
    };
    EXPECT_TRUE(run_until_complete(loop(), body()).ok());
}

TEST_F(TaskTest, ATimeoutThatWasNotNeededDoesNotFire) {
    // Heeds no cancellation, so that a machine that stood still for the limit changes nothing.
    const auto punctual = [&]() -> Task<int> {
        static_cast<void>(co_await yield(loop()));
        co_return 1;
    };
    const auto body = [&]() -> Task<> {
        for (int i = 0; i < 100; ++i) {
            EXPECT_EQ((co_await with_timeout(loop(), 1ms, punctual())).value(), 1);
        }
        (co_await sleep_for(loop(), 5ms)).value();
    };
    EXPECT_TRUE(run_until_complete(loop(), body()).ok());
}

Task<int> nested(Loop& loop, int depth, bool waits) {
    if (depth == 0) {
        if (waits) (co_await yield(loop)).value();
        co_return 0;
    }
    co_return *(co_await nested(loop, depth - 1, waits)) + 1;
}

TEST_F(TaskTest, DeepChainsOfAwaitsDoNotOverflowTheStack) {
    EXPECT_EQ(run_until_complete(loop(), nested(loop(), many, false)).value(), many);
    EXPECT_EQ(run_until_complete(loop(), nested(loop(), many, true)).value(), many);
}

TEST_F(TaskTest, LongLoopsOfAwaitsThatNeverWaitDoNotOverflowTheStack) {
    const auto body = [&]() -> Task<int> {
        int sum = 0;
        for (int i = 0; i < very_many; ++i) sum += *(co_await number(loop(), 1, 0));
        co_return sum;
    };
    EXPECT_EQ(run_until_complete(loop(), body()).value(), very_many);
    const auto events = [&]() -> Task<int> {
        Event event(loop());
        event.set();
        int sum = 0;
        for (int i = 0; i < very_many; ++i) sum += (co_await event.wait()).ok() ? 1 : 0;
        co_return sum;
    };
    EXPECT_EQ(run_until_complete(loop(), events()).value(), very_many);
}

// Each waits for the one before it: the end of the first ends them all.
TEST_F(TaskTest, LongChainsOfTasksDoNotOverflowTheStack) {
    Event event(loop());
    std::vector<Spawned<int, Loop>> tasks;
    tasks.reserve(many);
    const auto first = [&]() -> Task<int> {
        (co_await event.wait()).value();
        co_return 1;
    };
    const auto next = [&](std::size_t before) -> Task<int> {
        co_return *(co_await tasks[before]) + 1;
    };
    tasks.push_back(spawn(loop(), first()));
    for (std::size_t i = 1; i < many; ++i) tasks.push_back(spawn(loop(), next(i - 1)));
    turns(2);
    event.set();
    while (!tasks.back().done()) turn();
    EXPECT_EQ(tasks.back().result().value(), many);
}

TEST_F(TaskTest, FramesAreFreedWithTheirTasks) {
    int living = 0;
    const auto leaf = [&](Guard, int yields) -> Task<int> {
        const Guard local(living);
        for (int i = 0; i < yields; ++i) (co_await yield(loop())).value();
        co_return yields;
    };
    const auto body = [&](Guard) -> Task<> {
        for (int i = 0; i < 5; ++i) (co_await leaf(Guard(living), i)).value();
        auto spawned = spawn(loop(), leaf(Guard(living), 3));
        auto cancelled = spawn(loop(), leaf(Guard(living), 1000));
        (co_await spawned).value();
        cancelled.cancel();
        EXPECT_TRUE((co_await cancelled).cancelled());
        (co_await when_all(loop(), leaf(Guard(living), 2), leaf(Guard(living), 0))).value();
    };
    { const Task<> never_started = body(Guard(living)); }
    EXPECT_EQ(living, 0);
    EXPECT_TRUE(run_until_complete(loop(), body(Guard(living))).ok());
    EXPECT_EQ(living, 0);
    EXPECT_TRUE(loop().tasks().empty());
}

/// Echoes what one connection sends until its end.
Task<> echo(std::unique_ptr<Loop::Stream> stream) {
    std::vector<std::byte> buffer(10'000);
    for (;;) {
        const Result<std::size_t> got = co_await read_some(*stream, std::span(buffer));
        if (!got.ok() || *got == 0) break;
        const std::span<const std::byte> bytes(buffer.data(), *got);
        if (!(co_await write_all(*stream, bytes)).ok()) break;
    }
    (co_await close(*stream)).value();
}

Task<> serve(Loop& loop, Loop::Listener& listener) {
    for (;;) {
        auto stream = std::make_unique<Loop::Stream>(loop);
        if (!(co_await accept(listener, *stream)).ok()) break;
        spawn(loop, echo(std::move(stream))).detach();
    }
    (co_await close(listener)).value();
}

/// Sends and receives at once, and checks what comes back.
Task<Done> converse(Loop& loop, Endpoint endpoint, std::size_t size, std::uint64_t seed) {
    Loop::Stream stream(loop);
    (co_await connect(stream, endpoint)).value();
    const std::string sent = pattern(size, seed);
    const auto send = [](Loop::Stream& to, std::span<const std::byte> bytes) -> Task<Done> {
        (co_await write_all(to, bytes)).value();
        (co_await shutdown_write(to)).value();
        co_return Done{};
    };
    auto sending = spawn(loop, send(stream, bytes_of(sent)));
    std::string received;
    std::vector<std::byte> buffer(4096);
    for (;;) {
        const std::size_t got = (co_await read_some(stream, std::span(buffer))).value();
        if (got == 0) break;
        received.append(reinterpret_cast<const char*>(buffer.data()), got);
    }
    EXPECT_TRUE((co_await sending).ok());
    EXPECT_TRUE(received == sent);
    (co_await close(stream)).value();
    co_return Done{};
}

TEST_F(TaskTest, ServersAndClientsAsTasks) {
    for (const Transport transport : {Transport::unix_socket, Transport::tcp4}) {
        Loop::Listener listener(loop());
        ASSERT_TRUE(listener.listen(fresh_endpoint(transport), {}).ok());
        auto server = spawn(loop(), serve(loop(), listener));
        std::vector<Task<Done>> clients;
        for (std::uint64_t i = 0; i < 20; ++i) {
            clients.push_back(converse(loop(), listener.local_endpoint(), 1 + 20'011 * i, i));
        }
        const auto all = [&]() -> Task<> {
            (co_await when_all(loop(), std::move(clients))).value();
            server.cancel();
            EXPECT_TRUE((co_await server).ok());
        };
        EXPECT_TRUE(run_until_complete(loop(), all()).ok());
        while (!loop().tasks().empty()) turn();
    }
}

TEST_F(TaskTest, Contract11_TheDestructorCancelsTasksAndWaitsForTheirEnd) {
    int living = 0, cancelled = 0;
    Loop& doomed = loop();
    const auto sleeper = [&](Guard) -> Task<> {
        if ((co_await sleep_for(doomed, 1h)).cancelled()) ++cancelled;
        // From now on every await ends cancelled.
        EXPECT_TRUE((co_await sleep_for(doomed, 1h)).cancelled());
        EXPECT_TRUE((co_await yield(doomed)).cancelled());
    };
    const auto waiter = [&](Guard) -> Task<> {
        Event event(doomed);
        if ((co_await event.wait()).cancelled()) ++cancelled;
    };
    const auto parent = [&](Guard) -> Task<> {
        auto child = spawn(doomed, sleeper(Guard(living)));
        if ((co_await child).ok()) ++cancelled;
    };
    for (int i = 0; i < 10; ++i) {
        spawn(doomed, sleeper(Guard(living))).detach();
        spawn(doomed, waiter(Guard(living))).detach();
        spawn(doomed, parent(Guard(living))).detach();
    }
    turns(3);
    EXPECT_GT(living, 30);
    destroy_loop();
    EXPECT_EQ(living, 0);
    EXPECT_EQ(cancelled, 40);
}

TEST_F(TaskTest, Contract11_TheDestructorEndsTasksThatHoldOpenStreams) {
    for (const Transport transport : {Transport::unix_socket, Transport::tcp4}) {
        Loop& doomed = make_loop();
        int living = 0;
        const PlainListener listener(fresh_endpoint(transport));
        const auto reading = [&](Guard, bool closes) -> Task<> {
            Loop::Stream stream(doomed);
            (co_await connect(stream, listener.endpoint())).value();
            std::byte buffer[16];
            EXPECT_TRUE((co_await read_some(stream, std::span(buffer))).cancelled());
            if (closes) (co_await close(stream)).value();
        };
        const auto writing = [&](Guard) -> Task<> {
            Loop::Stream stream(doomed);
            (co_await connect(stream, listener.endpoint())).value();
            const std::string sent = pattern(8 * 1024 * 1024);
            EXPECT_TRUE((co_await write_all(stream, bytes_of(sent))).cancelled());
        };
        const auto accepting = [&](Guard) -> Task<> {
            Loop::Listener own(doomed);
            EXPECT_TRUE(own.listen(fresh_endpoint(transport), {}).ok());
            Loop::Stream stream(doomed);
            EXPECT_TRUE((co_await accept(own, stream)).cancelled());
            (co_await close(own)).value();
        };
        spawn(doomed, reading(Guard(living), true)).detach();
        spawn(doomed, reading(Guard(living), false)).detach();
        spawn(doomed, writing(Guard(living))).detach();
        spawn(doomed, accepting(Guard(living))).detach();
        std::vector<Peer> peers;
        for (int i = 0; i < 3; ++i) {
            turns(5);
            peers.push_back(listener.accept());
        }
        turns(5);
        destroy_loop();
        EXPECT_EQ(living, 0);
        for (const Peer& peer : peers) {
            const int error = peer.drain();
            EXPECT_TRUE(error == 0 || error == ECONNRESET) << error;
        }
    }
}

TEST_F(TaskTest, Contract11_TheDestructorEndsTasksThatNeverStarted) {
    int living = 0;
    Loop& doomed = loop();
    const auto body = [&](Guard) -> Task<> { (co_await yield(doomed)).value(); };
    spawn(doomed, body(Guard(living))).detach();
    doomed.stop();  // nor does a stop that is pending keep it from that
    destroy_loop();
    EXPECT_EQ(living, 0);
}

}  // namespace
}  // namespace loopbench::conformance
