// What a loop takes and gives back: descriptors, threads, memory (sentence 11), and that nothing is
// allocated per operation.

#include <random>
#include <set>

#include "loops/awaitables.hpp"
#include "loops/combinators.hpp"
#include "loops/task.hpp"
#include "tests/conformance/allocations.hpp"
#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

std::set<std::string> entries(const char* directory) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        names.insert(entry.path().filename());
    }
    return names;
}

class ResourceTest : public Conformance {
  protected:
    void SetUp() override {
        Conformance::SetUp();
        destroy_loop();  // each test counts around a loop of its own
    }

    /// Connects and talks; leaves one stream to its destructor, open, and closes the other.
    void use_streams(Loop& loop, Transport transport) {
        Loop::Listener listener(loop);
        ASSERT_TRUE(listener.listen(fresh_endpoint(transport), {}).ok());
        Loop::Stream client(loop), server(loop);
        Accept accepting;
        Connect connecting;
        accept(listener, accepting, server);
        connect(client, connecting, listener.local_endpoint());
        Until::run(loop, [&] { return accepting.ended() && connecting.ended(); });
        ASSERT_TRUE(accepting.result.ok() && connecting.result.ok());
        Recorder recorder;
        server.start_reading(recorder);
        const std::string sent = pattern(2'000'000);
        client.write(bytes_of(sent));
        Until::run(loop, [&] { return recorder.received.size() == sent.size(); });
        server.write(bytes_of(sent));  // stays queued
        Loop::Stream refused(loop);
        Connect failing;
        connect(refused, failing, unix_endpoint("/nonexistent/socket"));
        Until::run(loop, [&] { return failing.ended(); });
        Close closing;
        close(client, closing);
        Until::run(loop, [&] { return closing.ended(); });
    }

    static void use_the_rest(Loop& loop) {
        std::vector<std::unique_ptr<CountedTimer>> timers;
        for (int i = 0; i < 1000; ++i) {
            timers.push_back(std::make_unique<CountedTimer>(loop));
            timers.back()->start_after(i % 2 == 0 ? Duration(i * 1us) : Duration(1h));
        }
        const Pipe pipe;
        pipe.put();
        CountedWatch watch(loop, pipe.read.get());
        ASSERT_TRUE(watch.start(Interest::readable).ok());
        CountedWakeup wakeup(loop);
        wakeup.notify();
        Callback posted, threadsafe;
        loop.post(posted);
        loop.post_threadsafe(threadsafe);
        Until::run(loop, [&] {
            return timers[998]->fired == 1 && watch.calls > 0 && wakeup.calls > 0 &&
                   posted.completions == 1 && threadsafe.completions == 1;
        });
        const auto body = [&]() -> Task<> {
            (co_await with_timeout(loop, 1h, sleep(loop))).value();
            (co_await sleep_for(loop, 1h)).value();
        };
        for (int i = 0; i < 10; ++i) spawn(loop, body()).detach();  // alive until the destructor
        loop.stop();
        loop.run();
    }

    void use_and_destroy() {
        Loop loop{LoopOptions{}};
        use_streams(loop, Transport::unix_socket);
        use_streams(loop, Transport::tcp4);
        use_the_rest(loop);
    }

  private:
    static Task<Done> sleep(Loop& loop) {
        (co_await sleep_for(loop, 1ms)).value();
        co_return Done{};
    }
};

TEST_F(ResourceTest, Contract11_DescriptorsAreAllReturned) {
    { const Loop unused{LoopOptions{}}; }
    const auto before = entries("/proc/self/fd");
    for (int i = 0; i < 3; ++i) {
        { const Loop unused{LoopOptions{}}; }
        EXPECT_EQ(entries("/proc/self/fd"), before) << "by a loop that was not used";
        use_and_destroy();
        EXPECT_EQ(entries("/proc/self/fd"), before);
    }
}

TEST_F(ResourceTest, Contract11_ThreadsAreAllReturned) {
    use_and_destroy();
    const auto before = entries("/proc/self/task");
    use_and_destroy();
    EXPECT_EQ(entries("/proc/self/task"), before);
}

TEST_F(ResourceTest, Contract11_MemoryIsAllReturned) {
    if (!allocations_are_counted()) GTEST_SKIP() << "the sanitizer looks for leaks itself";
    use_and_destroy();  // what the C library, the loop's library and the frames' pool keep
    use_and_destroy();
    const std::int64_t before = living_allocations();
    for (int i = 0; i < 3; ++i) use_and_destroy();
    EXPECT_EQ(living_allocations(), before);
}

TEST_F(ResourceTest, Contract8_AClosedStreamReturnsItsDescriptorWhenCloseHasCompleted) {
    Loop& fresh = make_loop();
    Loop::Stream stream(fresh);
    const auto before = entries("/proc/self/fd");
    {
        const Peer peer = connect_stream(stream, Transport::tcp4);
        close_and_wait(stream);
    }
    EXPECT_EQ(entries("/proc/self/fd"), before);
}

/// What a loop promises: no allocation per operation, unless its notes say otherwise under
/// "allocations".
class AllocationTest : public Conformance {
  protected:
    void SetUp() override {
        Conformance::SetUp();
        if (IsSkipped()) return;
        if (!allocations_are_counted()) GTEST_SKIP() << "a sanitizer has the allocator";
        if (const std::string text = note("allocations"); !text.empty()) GTEST_SKIP() << text;
    }

    /// Expects that a round, after enough of them, takes nothing from the heap.
    template <class Round>
    void expect_no_allocation(Round round) {
        for (int i = 0; i < 200; ++i) round();
        const std::uint64_t before = allocations();
        for (int i = 0; i < 1000; ++i) round();
        EXPECT_EQ(allocations() - before, 0u) << "in 1000 rounds";
    }

    /// Sends a message and takes it back, turning the loop meanwhile.
    void round_trip(const Peer& peer) {
        char message[64] = "message";
        peer.send(std::string_view(message, sizeof message));
        std::size_t got = 0;
        while (got < sizeof message) {
            turn();
            const ssize_t n = ::recv(peer.get(), message + got, sizeof message - got, MSG_DONTWAIT);
            if (n > 0) got += static_cast<std::size_t>(n);
        }
    }
};

TEST_F(AllocationTest, PostsAllocateNothing) {
    std::vector<std::unique_ptr<Callback>> callbacks;
    for (int i = 0; i < 10; ++i) callbacks.push_back(std::make_unique<Callback>());
    Callback threadsafe;
    CountedWakeup wakeup(loop());
    expect_no_allocation([&] {
        for (const auto& callback : callbacks) loop().post(*callback);
        loop().post_threadsafe(threadsafe);
        wakeup.notify();
        turns(2);
    });
}

TEST_F(AllocationTest, TimersAllocateNothing) {
    std::mt19937_64 random(15);
    std::vector<std::unique_ptr<CountedTimer>> timers;
    for (int i = 0; i < 1000; ++i) timers.push_back(std::make_unique<CountedTimer>(loop()));
    for (const auto& timer : timers) timer->start_after(1h);
    expect_no_allocation([&] {
        for (int i = 0; i < 10; ++i) {
            CountedTimer& timer = *timers[random() % timers.size()];
            if (i % 3 == 0) {
                timer.cancel();
            } else {
                timer.start_after(i % 2 == 0 ? Duration(0) : Duration(random() % 1'000'000));
            }
        }
        turn();
    });
}

TEST_F(AllocationTest, APushEchoAllocatesNothing) {
    class Echo final : public Protocol {
      public:
        explicit Echo(Loop::Stream& stream) : stream_(stream) {}
        void data_received(std::span<const std::byte> data) noexcept override {
            stream_.write(data);
        }
        void eof_received() noexcept override {}
        void connection_lost(std::error_code) noexcept override {}

      private:
        Loop::Stream& stream_;
    };
    for (const Transport transport : {Transport::unix_socket, Transport::tcp4}) {
        Loop::Stream stream(loop());
        const Peer peer = connect_stream(stream, transport);
        Echo echo(stream);
        stream.start_reading(echo);
        expect_no_allocation([&] { round_trip(peer); });
    }
}

TEST_F(AllocationTest, APullEchoAllocatesNothing) {
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::unix_socket);
    std::byte buffer[256];
    Read read;
    Write write;
    const auto read_on = [&] {
        while (read_some(stream, read, buffer) == Start::done && read.result.ok()) {
            const std::string_view text(reinterpret_cast<char*>(buffer), *read.result);
            if (write_all(stream, write, text) == Start::pending) return;
        }
    };
    read.body = [&] {
        if (!read.result.ok()) return;
        const std::string_view text(reinterpret_cast<char*>(buffer), *read.result);
        if (write_all(stream, write, text) == Start::done) read_on();
    };
    write.body = read_on;
    Callback first(read_on);
    loop().post(first);
    expect_no_allocation([&] { round_trip(peer); });
    close_and_wait(stream);
}

TEST_F(AllocationTest, TasksAllocateNothing) {
    Loop::Stream stream(loop());
    const Peer peer = connect_stream(stream, Transport::unix_socket);
    const auto echo = [&]() -> Task<> {
        std::byte buffer[256];
        for (;;) {
            const Result<std::size_t> got = co_await read_some(stream, std::span(buffer));
            if (!got.ok() || *got == 0) co_return;
            const std::span<const std::byte> bytes(buffer, *got);
            if (!(co_await write_all(stream, bytes)).ok()) co_return;
        }
    };
    const auto small = [&]() -> Task<int> {
        (co_await yield(loop())).value();
        (co_await sleep_for(loop(), 1us)).value();
        co_return 1;
    };
    auto server = spawn(loop(), echo());
    expect_no_allocation([&] {
        round_trip(peer);
        auto task = spawn(loop(), small());
        while (!task.done()) turn();
    });
    server.cancel();
    while (!server.done()) turn();
    close_and_wait(stream);
}

TEST_F(AllocationTest, WatchesAllocateNothing) {
    const Pipe pipe;
    CountedWatch watch(loop(), pipe.read.get());
    expect_no_allocation([&] {
        EXPECT_TRUE(watch.start(Interest::readable).ok());
        pipe.put();
        turns(2);
        pipe.empty();
        turn();
        watch.stop();
    });
}

}  // namespace
}  // namespace loopbench::conformance
