// What is Asio's own: which backend it runs on, what the adapter's turns cost it, what it says when
// it is refused. Compiled for each backend. What every loop promises is tested in
// tests/conformance/.

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cstdio>
#include <thread>

#include "tests/conformance/fixture.hpp"

namespace {
int waiting_epoll_waits = 0;
int other_epoll_waits = 0;
}  // namespace

/// Stands before the C library's for Asio, too: counts the calls.
extern "C" int epoll_wait(int epoll, epoll_event* events, int size, int timeout) {
    ++(timeout == 0 ? other_epoll_waits : waiting_epoll_waits);
    return static_cast<int>(
        ::syscall(SYS_epoll_pwait, epoll, events, size, timeout, nullptr, sizeof(long)));
}

namespace loopbench::conformance {
namespace {

class AsioLoopTest : public Conformance {};

/// One round after another: the peer's thread sends, and waits for the answer.
void echo(Loop& loop, Loop::Stream& stream, const Peer& peer, int rounds) {
    Recorder recorder;
    recorder.on_data = [&] { stream.write(bytes_of(std::exchange(recorder.received, {}))); };
    recorder.on_eof = [&] { recorder.expect_silence(); };
    stream.start_reading(recorder);
    std::thread client([&] {
        for (int i = 0; i < rounds; ++i) {
            peer.send("message");
            EXPECT_EQ(peer.receive(7), "message");
        }
        peer.shutdown_write();
    });
    Until::run(loop, [&] { return recorder.eofs == 1; });
    client.join();
}

// BOOST_ASIO_HAS_IO_URING alone would leave sockets and timers to epoll.
TEST_F(AsioLoopTest, ThroughIoUringNothingIsPolledByEpoll) {
    waiting_epoll_waits = other_epoll_waits = 0;
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::tcp4);
    CountedTimer timer(loop());
    timer.start_after(1ms);
    CountedWakeup wakeup(loop());
    wakeup.notify();
    const Pipe pipe;
    CountedWatch watch(loop(), pipe.read.get(), [&](Interest) { pipe.empty(); });
    ASSERT_TRUE(watch.start(Interest::readable).ok());
    pipe.put();
    run_until([&] { return timer.fired > 0 && wakeup.calls > 0 && watch.calls > 0; });
    echo(loop(), stream, peer, 10);
    if (asio_operations_are_in_the_kernel) {
        EXPECT_EQ(waiting_epoll_waits + other_epoll_waits, 0);
    } else {
        EXPECT_GT(waiting_epoll_waits + other_epoll_waits, 0) << "epoll_wait is not counted";
    }
}

// The price of turns: for each wait that brings something, one more poll, which does not wait.
TEST_F(AsioLoopTest, ATurnCostsOnePollThatDoesNotWait) {
    if (asio_operations_are_in_the_kernel) GTEST_SKIP() << "its polls are no system calls";
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::unix_socket);
    waiting_epoll_waits = other_epoll_waits = 0;
    const std::uint64_t turns_before = loop().counters().turns;
    echo(loop(), stream, peer, 1000);
    const int turns = static_cast<int>(loop().counters().turns - turns_before);
    // Beyond that, only to begin and to end the run.
    EXPECT_LE(other_epoll_waits, turns + 3);
    EXPECT_LE(waiting_epoll_waits, turns + 3);
    EXPECT_GT(waiting_epoll_waits, 0);
}

TEST_F(AsioLoopTest, ARefusalIsToldWithItsRemedy) {
    destroy_loop();
    rlimit before{};
    checked(::getrlimit(RLIMIT_NOFILE, &before), "getrlimit");
    rlimit none = before;
    none.rlim_cur = 0;
    checked(::setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
    const Availability availability = Loop::availability();
    EXPECT_THROW(Loop{LoopOptions{}}, std::system_error);
    checked(::setrlimit(RLIMIT_NOFILE, &before), "setrlimit");
    EXPECT_FALSE(availability.available);
    EXPECT_NE(availability.reason.find("Too many open files"), std::string::npos)
        << availability.reason;
    EXPECT_NE(availability.remedy.find("limit"), std::string::npos);
    EXPECT_TRUE(Loop::availability().available);
}

TEST_F(AsioLoopTest, TheDescriptionNamesTheBackendAndBothVersions) {
    const LoopDescription description = Loop::describe();
    EXPECT_EQ(description.name.ends_with("uring"), asio_operations_are_in_the_kernel);
    EXPECT_EQ(note("backend").starts_with("io_uring"), asio_operations_are_in_the_kernel);
    int boost_major = 0, boost_minor = 0, asio_major = 0;
    EXPECT_EQ(std::sscanf(description.version.c_str(), "%d.%d.%*d (Asio %d.", &boost_major,
                          &boost_minor, &asio_major),
              3)
        << description.version;
    EXPECT_GE(boost_major * 100 + boost_minor, 181);
}

// A read that was under way when reading stopped gets the bytes; whoever reads next has them first.
TEST_F(AsioLoopTest, WhatArrivedWhileNobodyReadIsHandedOutInPieces) {
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::unix_socket);
    Recorder recorder;
    stream.start_reading(recorder);
    peer.send("a");
    run_until([&] { return recorder.received == "a"; });
    stream.stop_reading();
    peer.send("bcdef");
    turns(5);
    EXPECT_EQ(recorder.received, "a");
    std::byte buffer[2];
    std::string received;
    Read read;
    while (received.size() < 5) {
        read_some(stream, read, buffer);
        complete(read);
        received.append(reinterpret_cast<const char*>(buffer), read.result.value());
    }
    EXPECT_EQ(received, "bcdef");
}

}  // namespace
}  // namespace loopbench::conformance
