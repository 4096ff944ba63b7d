// What is libuv's own: where its adapter corrects it, and what it must not cost. What every loop
// promises is tested in tests/conformance/.

#include "loops/uv_loop.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "loops/fd.hpp"
#include "loops/socket.hpp"

namespace {
std::atomic<int> epoll_ctl_calls{0};
}

/// Stands before the C library's for libuv, too: counts the calls.
extern "C" int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
    ++epoll_ctl_calls;
    return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, descriptor, event));
}

namespace loopbench {
namespace {

using namespace std::chrono_literals;

/// An operation that runs a function when it completes.
template <class Base>
struct Then : Base {
    explicit Then(std::function<void()> f = {}) : Base(&run), body(std::move(f)) {}
    static void run(Operation& operation) noexcept {
        auto& self = static_cast<Then&>(operation);
        self.completed = true;
        if (self.body) self.body();
    }
    std::function<void()> body;
    bool completed = false;
};

struct FunctionTimer : UvTimer {
    FunctionTimer(UvLoop& loop, std::function<void()> f)
        : UvTimer(loop, &run), body(std::move(f)) {}
    static void run(UvTimer& timer) noexcept { static_cast<FunctionTimer&>(timer).body(); }
    std::function<void()> body;
};

Endpoint unix_endpoint(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path));
    return Endpoint(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

class UvLoopTest : public testing::Test {
  protected:
    UvLoopTest() {
        std::string name = (std::filesystem::temp_directory_path() / "loopbench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::system_error(errno, std::system_category(), "mkdtemp");
        }
        directory_ = name;
    }
    ~UvLoopTest() override { std::filesystem::remove_all(directory_); }

    /// Turns that do not wait, until something holds.
    void turn_until(const std::function<bool()>& condition) {
        while (!condition()) {
            loop_.stop();
            loop_.run();
        }
    }

    std::string path(const std::string& name = "socket") const { return directory_ + "/" + name; }

    /// Connects the stream to a plain blocking socket, which is returned.
    Fd connect(UvStream& stream) {
        const Endpoint endpoint = unix_endpoint(path());
        const Fd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
        EXPECT_EQ(::bind(listener.get(), endpoint.address(), endpoint.length), 0);
        EXPECT_EQ(::listen(listener.get(), 1), 0);
        Then<UvConnectOperation> connected;
        if (stream.connect(connected, endpoint, {}) == Start::pending) {
            turn_until([&] { return connected.completed; });
        }
        EXPECT_TRUE(connected.result.ok());
        return Fd(::accept(listener.get(), nullptr, nullptr));
    }

    /// Reads until there are so many bytes, and turns the loop meanwhile.
    std::string receive(const Fd& peer, std::size_t size) {
        std::string text;
        std::array<char, 65536> buffer;
        turn_until([&] {
            const std::size_t wanted = std::min(buffer.size(), size - text.size());
            const ssize_t got = ::recv(peer.get(), buffer.data(), wanted, MSG_DONTWAIT);
            if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
            return text.size() == size;
        });
        return text;
    }

    std::string directory_;
    UvLoop loop_{LoopOptions{}};
};

// libuv 1.44 would fire it in the same turn, as soon as its clock has moved on.
TEST_F(UvLoopTest, ATimerThatIsDueInTheTurnItWasStartedInFiresInTheNext) {
    std::optional<std::uint64_t> started, fired;
    FunctionTimer inner(loop_, [&] { fired = loop_.counters().turns; });
    // In a callback of I/O: libuv runs its timers behind it and before the next poll.
    struct Wake : UvWakeup {
        Wake(UvLoop& loop, std::function<void()> f) : UvWakeup(loop, &run), body(std::move(f)) {}
        static void run(UvWakeup& wakeup) noexcept { static_cast<Wake&>(wakeup).body(); }
        std::function<void()> body;
    } wakeup(loop_, [&] {
        started = loop_.counters().turns;
        inner.start_after(1ms);
        const TimePoint late = std::chrono::steady_clock::now() + 5ms;
        while (std::chrono::steady_clock::now() < late) {
        }
    });
    wakeup.notify();
    turn_until([&] { return fired.has_value(); });
    EXPECT_EQ(*fired, *started + 1);
}

// libuv would run them as they were started: it takes all deadlines in the past for equal.
TEST_F(UvLoopTest, DeadlinesInThePastRunInTheirOrder) {
    std::vector<int> order;
    std::vector<std::unique_ptr<FunctionTimer>> timers;
    for (const int age_ms : {3, 9, 1, 7, 5}) {
        timers.push_back(
            std::make_unique<FunctionTimer>(loop_, [&order, age_ms] { order.push_back(age_ms); }));
        timers.back()->start_at(loop_.now() - std::chrono::milliseconds(age_ms));
    }
    timers[3]->cancel();
    turn_until([&] { return order.size() == 4; });
    EXPECT_EQ(order, (std::vector{9, 5, 3, 1}));
}

TEST_F(UvLoopTest, ATimerOfTheSameTurnCancelsAnotherFromTheListBesideLibuvs) {
    bool fired = false;
    FunctionTimer second(loop_, [&] { ADD_FAILURE() << "fired although cancelled"; });
    FunctionTimer first(loop_, [&] {
        fired = true;
        second.cancel();
    });
    first.start_at(loop_.now() - 2ms);
    second.start_at(loop_.now() - 1ms);
    turn_until([&] { return fired; });
    EXPECT_FALSE(second.pending());
    loop_.stop();
    loop_.run();
}

// libuv reads on between two `read_some`: to stop and start would be two epoll_ctl a round trip.
TEST_F(UvLoopTest, APullRoundTripCostsNoEpollCtl) {
    UvStream stream(loop_);
    const Fd peer = connect(stream);
    std::array<std::byte, 256> buffer;
    int rounds = 0;
    Then<UvWriteOperation> write;
    Then<UvReadOperation> read;
    read.body = [&] {
        const std::span<const std::byte> got(buffer.data(), *read.result);
        EXPECT_EQ(stream.write_all(write, got), Start::done);
        ++rounds;
        EXPECT_EQ(stream.read_some(read, buffer), Start::pending);
    };
    ASSERT_EQ(stream.read_some(read, buffer), Start::pending);
    const std::string message(64, 'm');
    const auto round_trip = [&] {
        ASSERT_EQ(::send(peer.get(), message.data(), message.size(), 0), 64);
        EXPECT_EQ(receive(peer, message.size()), message);
    };
    round_trip();
    const int before = epoll_ctl_calls;
    for (int i = 0; i < 100; ++i) round_trip();
    EXPECT_EQ(epoll_ctl_calls, before);
    EXPECT_EQ(rounds, 101);
    EXPECT_GT(before, 0) << "epoll_ctl is not counted";
    stream.cancel(read);
    read.body = nullptr;
    read.completed = false;
    turn_until([&] { return read.completed; });
}

// Nobody reads: libuv must not report the same bytes turn after turn.
TEST_F(UvLoopTest, BytesThatNobodyAsksForDoNotKeepTheLoopBusy) {
    UvStream stream(loop_);
    const Fd peer = connect(stream);
    std::array<std::byte, 16> buffer;
    Then<UvReadOperation> read;
    ASSERT_EQ(stream.read_some(read, buffer), Start::pending);
    ASSERT_EQ(::send(peer.get(), "first", 5, 0), 5);
    turn_until([&] { return read.completed; });
    ASSERT_EQ(::send(peer.get(), "second", 6, 0), 6);
    const std::uint64_t before = loop_.counters().turns;
    FunctionTimer timer(loop_, [&] { loop_.stop(); });
    timer.start_after(20ms);
    loop_.run();
    EXPECT_LT(loop_.counters().turns - before, 10u);
    read.completed = false;
    ASSERT_EQ(stream.read_some(read, buffer), Start::pending);
    turn_until([&] { return read.completed; });
    EXPECT_EQ(*read.result, 6u);
}

// libuv cannot give up a write; the caller has its bytes back all the same.
TEST_F(UvLoopTest, ACancelledWriteGoesOutFromACopy) {
    UvStream stream(loop_);
    const Fd peer = connect(stream);
    std::string text(4 << 20, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 251);
    const std::string sent = text;
    Then<UvWriteOperation> write;
    ASSERT_EQ(stream.write_all(write, bytes_of(text)), Start::pending);
    stream.cancel(write);
    EXPECT_FALSE(write.completed);
    turn_until([&] { return write.completed; });
    EXPECT_TRUE(write.result.cancelled());
    std::fill(text.begin(), text.end(), 'x');
    const std::string next = "next";
    Then<UvWriteOperation> behind;
    ASSERT_EQ(stream.write_all(behind, bytes_of(next)), Start::pending);
    EXPECT_TRUE(receive(peer, sent.size() + next.size()) == sent + next);
    turn_until([&] { return behind.completed; });
    EXPECT_EQ(behind.result.value(), next.size());
}

TEST_F(UvLoopTest, ASocketsPathIsNeitherCutNorRemoved) {
    const std::string name = path(std::string(sizeof(sockaddr_un::sun_path), 'n'));
    UvStream stream(loop_);
    Then<UvConnectOperation> connected;
    EXPECT_EQ(stream.connect(connected, unix_endpoint(name), {}), Start::done);
    EXPECT_EQ(connected.result.error().value(), ENAMETOOLONG);

    Then<UvCloseOperation> closed;
    UvListener listener(loop_);
    EXPECT_EQ(listener.listen(unix_endpoint(path("no/such")), {}).error().value(), ENOENT);
    ASSERT_TRUE(listener.listen(unix_endpoint(path()), {}).ok());
    listener.close(closed);
    turn_until([&] { return closed.completed; });
    EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST(ThreadsafeQueueTest, WhatOneThreadPushesStaysInOrder) {
    struct Numbered : Operation {
        Numbered() : Operation([](Operation&) noexcept {}) {}
        int thread = 0, number = 0;
    };
    constexpr int threads = 4, each = 5000;
    ThreadsafeQueue inbox;
    std::vector<Numbered> operations(threads * each);
    std::vector<std::thread> pushers;
    for (int t = 0; t < threads; ++t) {
        pushers.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                Numbered& operation = operations[static_cast<std::size_t>(t * each + i)];
                operation.thread = t;
                operation.number = i;
                inbox.push(operation);
            }
        });
    }
    OperationQueue queue;
    std::array<int, threads> next{};
    for (int taken = 0; taken < threads * each;) {
        inbox.drain_into(queue);
        for (; !queue.empty(); ++taken) {
            const auto& operation = static_cast<Numbered&>(queue.pop());
            EXPECT_EQ(operation.number, next[static_cast<std::size_t>(operation.thread)]++);
        }
    }
    for (std::thread& pusher : pushers) pusher.join();
}

TEST(ThreadsafeQueueTest, OnlyTheFirstPushAsksForAWakeUp) {
    Operation one([](Operation&) noexcept {}), two([](Operation&) noexcept {});
    ThreadsafeQueue inbox;
    OperationQueue queue;
    EXPECT_TRUE(inbox.push(one));
    EXPECT_FALSE(inbox.push(two));
    inbox.drain_into(queue);
    EXPECT_EQ(&queue.pop(), &one);
    EXPECT_TRUE(inbox.push(one));
    inbox.drain_into(queue);
    EXPECT_EQ(&queue.pop(), &two);
    EXPECT_EQ(&queue.pop(), &one);
    EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace loopbench
