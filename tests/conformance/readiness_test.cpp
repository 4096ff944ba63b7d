// Watches on descriptors of the caller.

#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>

#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class ReadinessTest : public Conformance {};

TEST_F(ReadinessTest, AWatchIsLevelTriggered) {
    const Pipe pipe;
    CountedWatch watch(loop(), pipe.read.get());
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    turns(2);
    EXPECT_EQ(watch.calls, 0);
    pipe.put();
    run_until([&] { return watch.calls == 10; });  // nobody reads
    EXPECT_EQ(watch.last, Interest::readable);
    pipe.empty();
    const int calls = watch.calls;
    turns(3);
    EXPECT_EQ(watch.calls, calls);
    pipe.put();
    run_until([&] { return watch.calls == calls + 1; });
}

TEST_F(ReadinessTest, AWatchThatReadsOnlySomeIsCalledForTheRest) {
    const Pipe pipe;
    std::string received;
    CountedWatch watch(loop(), pipe.read.get(), [&](Interest) {
        char c = 0;
        ASSERT_EQ(::read(pipe.read.get(), &c, 1), 1);
        received += c;
    });
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    for (const char c : std::string("level")) pipe.put(c);
    run_until([&] { return received == "level"; });
}

TEST_F(ReadinessTest, AWatchIsCalledAtMostOnceATurn) {
    const Pipe pipe;
    pipe.put();
    std::uint64_t last_turn = 0;
    CountedWatch watch(loop(), pipe.read.get(), [&](Interest) {
        EXPECT_GT(loop().counters().turns, last_turn);
        last_turn = loop().counters().turns;
    });
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    Callback restart;
    restart.body = [&] {  // starting it anew in the same turn is no second call
        ASSERT_TRUE(watch.start(Interest::readable).ok());
        loop().post(restart);
    };
    loop().post(restart);
    run_until([&] { return watch.calls == 50; });
    restart.body = nullptr;
    turns(2);
}

TEST_F(ReadinessTest, ReadableAndWritableAreToldApart) {
    int ends[2];
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), "pair");
    const Peer near(ends[0]), far(ends[1]);
    CountedWatch watch(loop(), near.get());
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    turns(2);
    EXPECT_EQ(watch.calls, 0);
    ASSERT_TRUE(watch.start(Interest::writable).ok());  // replaces the interest
    run_until([&] { return watch.calls > 0; });
    EXPECT_EQ(watch.last, Interest::writable);
    far.send("x");
    const int calls = watch.calls;
    run_until([&] { return watch.calls == calls + 2; });
    EXPECT_EQ(watch.last, Interest::writable) << "told of what is not watched";
    ASSERT_TRUE(watch.start(Interest::both).ok());
    run_until([&] { return watch.last == Interest::both; });
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    run_until([&] { return watch.last == Interest::readable; });
}

TEST_F(ReadinessTest, WritableComesBackWhenThereIsRoom) {
    const Pipe pipe;
    const std::string block(4096, 'x');
    while (::write(pipe.write.get(), block.data(), block.size()) > 0) {
    }
    CountedWatch watch(loop(), pipe.write.get());
    ASSERT_TRUE(watch.start(Interest::writable).ok());
    turns(3);
    EXPECT_EQ(watch.calls, 0);
    pipe.empty();
    run_until([&] { return watch.calls > 0; });
    EXPECT_EQ(watch.last, Interest::writable);
}

TEST_F(ReadinessTest, AHangUpCountsAsReady) {
    Pipe hung_up, broken;
    CountedWatch reader(loop(), hung_up.read.get());
    auto writer = std::make_unique<CountedWatch>(loop(), broken.write.get());
    ASSERT_TRUE(reader.start(Interest::readable).ok());
    turns(2);
    EXPECT_EQ(reader.calls, 0);
    hung_up.write.close();
    run_until([&] { return reader.calls > 0; });
    EXPECT_EQ(reader.last, Interest::readable);
    reader.stop();

    const std::string block(4096, 'x');
    while (::write(broken.write.get(), block.data(), block.size()) > 0) {
    }
    ASSERT_TRUE(writer->start(Interest::writable).ok());
    turns(2);
    EXPECT_EQ(writer->calls, 0);
    broken.read.close();
    run_until([&] { return writer->calls > 0; });
    EXPECT_EQ(writer->last, Interest::writable);
    writer.reset();

    // An error counts as ready for whatever is watched: here for reading from a writing end.
    CountedWatch error(loop(), broken.write.get());
    ASSERT_TRUE(error.start(Interest::readable).ok());
    run_until([&] { return error.calls > 0; });
    EXPECT_EQ(error.last, Interest::readable);
}

TEST_F(ReadinessTest, AResetCountsAsReady) {
    const PlainListener listener(loopback(Transport::tcp4));
    const Peer near = plain_connect(listener.endpoint());
    Peer far = listener.accept();
    ::fcntl(near.get(), F_SETFL, O_NONBLOCK);
    CountedWatch watch(loop(), near.get());
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    turns(2);
    EXPECT_EQ(watch.calls, 0);
    far.reset();
    run_until([&] { return watch.calls > 0; });
    EXPECT_EQ(watch.last, Interest::readable);
}

TEST_F(ReadinessTest, StoppedItIsNotCalledAgainEvenInThisTurn) {
    const Pipe one_pipe, two_pipe;
    CountedWatch one(loop(), one_pipe.read.get());
    CountedWatch two(loop(), two_pipe.read.get());
    one.body = [&](Interest) { two.stop(); };
    two.body = [&](Interest) { one.stop(); };
    one_pipe.put();
    two_pipe.put();
    ASSERT_TRUE(one.start(Interest::readable).ok());
    ASSERT_TRUE(two.start(Interest::readable).ok());
    turns(1);
    EXPECT_EQ(one.calls + two.calls, 1);
    CountedWatch& stopped = one.calls == 0 ? one : two;
    turns(3);
    EXPECT_EQ(stopped.calls, 0);
    one.body = two.body = nullptr;
    ASSERT_TRUE(stopped.start(Interest::readable).ok());
    run_until([&] { return stopped.calls > 0; });
}

TEST_F(ReadinessTest, ItMayBeStoppedFromInsideItself) {
    const Pipe pipe;
    pipe.put();
    CountedWatch watch(loop(), pipe.read.get());
    watch.body = [&](Interest) { watch.stop(); };
    watch.stop();  // harmless when not started
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    run_until([&] { return watch.calls == 1; });
    turns(3);
    EXPECT_EQ(watch.calls, 1);
    watch.stop();
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    run_until([&] { return watch.calls == 2; });
}

TEST_F(ReadinessTest, DestroyedItIsNotCalledAgainEvenInThisTurn) {
    const Pipe pipes[2];
    std::unique_ptr<CountedWatch> watches[2];
    int calls = 0;
    for (int i = 0; i < 2; ++i) {
        watches[i] = std::make_unique<CountedWatch>(loop(), pipes[i].read.get(), [&, i](Interest) {
            ++calls;
            watches[i]->stop();
            watches[1 - i].reset();
        });
        pipes[i].put();
        ASSERT_TRUE(watches[i]->start(Interest::readable).ok());
    }
    run_until([&] { return calls > 0; });
    turns(3);
    EXPECT_EQ(calls, 1);
}

TEST_F(ReadinessTest, ADescriptorNumberMayBeWatchedAgainAfterItWasClosed) {
    for (int i = 0; i < 5; ++i) {
        const Pipe pipe;  // most likely the numbers of the round before
        CountedWatch watch(loop(), pipe.read.get());
        ASSERT_TRUE(watch.start(Interest::readable).ok());
        turns(2);
        EXPECT_EQ(watch.calls, 0);
        pipe.put();
        run_until([&] { return watch.calls > 0; });
        if (i % 2 == 0) watch.stop();
    }
}

TEST_F(ReadinessTest, OtherKindsOfDescriptorsWork) {
    const Peer event(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
    CountedWatch watch(loop(), event.get());
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    turns(2);
    EXPECT_EQ(watch.calls, 0);
    checked(::eventfd_write(event.get(), 1), "eventfd_write");
    run_until([&] { return watch.calls == 1; });
    const PlainListener listener(loopback(Transport::tcp4));
    const Peer socket = plain_connect(listener.endpoint());
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    CountedWatch connected(loop(), socket.get());
    ASSERT_TRUE(connected.start(Interest::both).ok());
    run_until([&] { return connected.calls > 0; });
    EXPECT_EQ(connected.last, Interest::writable);
}

TEST_F(ReadinessTest, ManyWatchesAreAllServed) {
    constexpr int count = 200;
    std::vector<Pipe> pipes(count);
    std::vector<std::unique_ptr<CountedWatch>> watches;
    for (Pipe& pipe : pipes) {
        watches.push_back(std::make_unique<CountedWatch>(loop(), pipe.read.get(),
                                                         [&pipe](Interest) { pipe.empty(); }));
        ASSERT_TRUE(watches.back()->start(Interest::readable).ok());
    }
    for (int round = 1; round <= 3; ++round) {
        for (const Pipe& pipe : pipes) pipe.put();
        run_until([&] {
            return std::all_of(watches.begin(), watches.end(),
                               [&](const auto& watch) { return watch->calls == round; });
        });
    }
}

TEST_F(ReadinessTest, ADescriptorBeyondTheDeclaredLimitIsAnError) {
    const auto limit = Loop::describe().descriptor_limit;
    if (!limit) GTEST_SKIP() << "no limit is declared";
    rlimit descriptors{};
    checked(::getrlimit(RLIMIT_NOFILE, &descriptors), "getrlimit");
    const rlimit before = descriptors;
    if (descriptors.rlim_max <= *limit + 16) GTEST_SKIP() << "the process has no such descriptors";
    descriptors.rlim_cur = *limit + 16;
    checked(::setrlimit(RLIMIT_NOFILE, &descriptors), "setrlimit");
    {
        const Pipe pipe;
        const Peer high(
            checked(::fcntl(pipe.read.get(), F_DUPFD_CLOEXEC, static_cast<int>(*limit)), "dup"));
        CountedWatch watch(loop(), high.get());
        EXPECT_FALSE(watch.start(Interest::readable).ok());
        turns(2);
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace loopbench::conformance
