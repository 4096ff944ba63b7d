// Streams that carry data: push and pull, order, backpressure, end of file, half-close, reset.
// Sentences 1 and 8.

#include <thread>

#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class StreamTest : public OverTransports {};
class StreamThreads : public OverTransports {};
INSTANTIATE_TEST_SUITE_P(Over, StreamTest, every_transport(), transport_name);
INSTANTIATE_TEST_SUITE_P(Over, StreamThreads, every_transport(), transport_name);

/// A peer that takes a little in every pass, until it has everything or the stream ends.
class SlowReader {
  public:
    SlowReader(Loop& loop, const Peer& peer, std::size_t bytes_a_pass)
        : callback_([this, &loop, &peer, bytes_a_pass] {
              peer.take(received, bytes_a_pass);
              if (!stopped_) loop.post(callback_);
          }) {
        loop.post(callback_);
    }
    void stop() { stopped_ = true; }
    std::string received;

  private:
    bool stopped_ = false;
    Callback callback_;
};

TEST_P(StreamTest, AStreamKnowsItsLoopAndWhetherItIsOpen) {
    Loop::Stream stream(loop());
    EXPECT_EQ(&stream.loop(), &loop());
    EXPECT_FALSE(stream.open());
    const Peer peer = connected(stream);
    EXPECT_TRUE(stream.open());
    EXPECT_EQ(stream.queued_bytes(), 0u);
    Close closing;
    close(stream, closing);
    EXPECT_FALSE(stream.open());
    complete(closing);
}

TEST_P(StreamTest, PushReceivesEveryByteInOrderAndNoMoreThanTheReadBufferAtOnce) {
    LoopOptions options;
    options.read_buffer = 1000;
    Loop& fresh = make_loop(options);
    Loop::Stream stream(fresh);
    const Peer peer = connected(stream);
    Recorder recorder;
    recorder.call([&] { stream.start_reading(recorder); });
    const std::string sent = pattern(mebibyte);
    std::string_view rest = sent;
    while (recorder.received.size() < sent.size()) {
        rest.remove_prefix(peer.send_now(rest));
        const std::size_t had = recorder.received.size();
        run_until([&] { return recorder.received.size() > had; });
    }
    EXPECT_TRUE(recorder.received == sent);
    EXPECT_LE(recorder.largest, options.read_buffer);
    EXPECT_EQ(recorder.eofs, 0);
}

TEST_P(StreamTest, AReadBufferOfOneByteWorks) {
    LoopOptions options;
    options.read_buffer = 1;
    Loop& fresh = make_loop(options);
    Loop::Stream stream(fresh);
    const Peer peer = connected(stream);
    Recorder recorder;
    stream.start_reading(recorder);
    const std::string sent = pattern(1000);
    peer.send(sent);
    peer.shutdown_write();
    run_until([&] { return recorder.eofs == 1; });
    EXPECT_EQ(recorder.received, sent);
    EXPECT_EQ(recorder.largest, 1u);
}

TEST_P(StreamTest, Contract1_DataThatIsThereIsNotToldInsideStartReading) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    peer.send("early");
    turns(2);
    Recorder recorder;  // fails when it is called inside `call`
    recorder.call([&] { stream.start_reading(recorder); });
    run_until([&] { return recorder.received == "early"; });
    recorder.call([&] { stream.stop_reading(); });
    recorder.call([&] { stream.start_reading(recorder); });
    peer.send("later");
    run_until([&] { return recorder.received == "earlylater"; });
}

TEST_P(StreamTest, WriteTriesToSendNow) {
    if (keys_from_environment().contains("send")) {
        GTEST_SKIP() << "this variant sends with the next poll, and says so";
    }
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    stream.write(bytes_of("now"));
    EXPECT_EQ(stream.queued_bytes(), 0u);
    EXPECT_EQ(peer.receive(3), "now");  // without a turn of the loop
    stream.write({});
    EXPECT_EQ(stream.queued_bytes(), 0u);
}

TEST_P(StreamTest, Contract8_WriteKeepsOrderAndLosesNothingAcrossPartialSends) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream, SocketOptions{true, 128 * 1024, 0});
    const std::string sent = pattern(16 * mebibyte);
    std::string_view rest = sent;
    for (std::size_t size = 1; !rest.empty(); size = size * 3 % 100'003) {
        const std::size_t piece = std::min(size, rest.size());
        std::string copy(rest.substr(0, piece));
        stream.write(bytes_of(copy));
        copy.assign(copy.size(), '!');  // `write` has copied what it still needs
        rest.remove_prefix(piece);
    }
    EXPECT_GT(stream.queued_bytes(), 8 * mebibyte);
    SlowReader reader(loop(), peer, 64 * 1024);
    run_until([&] { return reader.received.size() >= sent.size(); });
    reader.stop();
    turns(3);
    EXPECT_TRUE(reader.received == sent);
    EXPECT_EQ(stream.queued_bytes(), 0u);
}

TEST_P(StreamTest, Contract8_WriteAllKeepsOrderAndLosesNothingAcrossPartialSends) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    const std::string sent = pattern(16 * mebibyte);
    Write write;
    EXPECT_EQ(write_all(stream, write, sent), Start::pending);
    SlowReader reader(loop(), peer, 64 * 1024);
    run_until([&] { return reader.received.size() >= sent.size() && write.ended(); });
    reader.stop();
    turns(3);
    EXPECT_EQ(write.completions, 1);
    EXPECT_EQ(write.result.value(), sent.size());
    EXPECT_TRUE(reader.received == sent);
}

TEST_P(StreamThreads, Contract8_WriteAllServesAPeerThatReadsSlowlyInItsOwnThread) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream, SocketOptions{true, 128 * 1024, 0});
    const std::string sent = pattern(16 * mebibyte);
    std::string received;
    std::thread reader([&] {
        while (received.size() < sent.size()) {
            const std::size_t step = 1 + received.size() % 30'000;
            received += peer.receive(std::min(step, sent.size() - received.size()));
        }
    });
    Write write;
    write_all(stream, write, sent);
    complete(write);
    reader.join();
    EXPECT_EQ(write.result.value(), sent.size());
    EXPECT_TRUE(received == sent);
}

TEST_P(StreamTest, WriteAllGoesBehindWhatWriteHasQueued) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    const std::string first = pattern(16 * mebibyte, 1), second = pattern(2 * mebibyte, 2);
    stream.write(bytes_of(first));
    EXPECT_GT(stream.queued_bytes(), 0u);
    Write write;
    EXPECT_EQ(write_all(stream, write, second), Start::pending);
    SlowReader reader(loop(), peer, 256 * 1024);
    const std::string sent = first + second;
    run_until([&] { return reader.received.size() >= sent.size() && write.ended(); });
    reader.stop();
    turns(2);
    EXPECT_TRUE(reader.received == sent);
}

TEST_P(StreamTest, PullReadsWhatIsThereIntoTheCallersBuffer) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    const std::string sent = pattern(300'000);
    std::string received;
    std::string_view rest = sent;
    std::vector<std::byte> buffer(7001);
    Read read;
    while (received.size() < sent.size()) {
        rest.remove_prefix(peer.send_now(rest));
        read_some(stream, read, buffer);
        complete(read);
        ASSERT_GT(read.result.value(), 0u);
        ASSERT_LE(read.result.value(), buffer.size());
        received.append(reinterpret_cast<const char*>(buffer.data()), read.result.value());
    }
    EXPECT_TRUE(received == sent);
}

// A chain of operations that could all end at once is cut, and the others get their turn.
TEST_P(StreamTest, Contract1_OperationsThatEndAtOnceCountTowardsThePollInterval) {
    for (const unsigned interval : {61u, 1u}) {
        Loop& fresh = make_loop(with_poll_interval(interval));
        Loop::Stream stream(fresh);
        const Peer peer = connected(stream);
        const std::string sent = pattern(5000);
        peer.send(sent);
        CountedTimer timer(fresh);
        timer.start_after(0ns);
        std::string received;
        std::byte buffer[1];
        std::size_t in_a_row = 0, longest = 0;
        Read read;
        const auto take = [&] { received += static_cast<char>(buffer[0]); };
        const auto read_on = [&] {
            in_a_row = 0;
            while (received.size() < sent.size() &&
                   read_some(stream, read, buffer) == Start::done) {
                take();
                longest = std::max(longest, ++in_a_row);
            }
        };
        read.body = [&] {
            take();
            EXPECT_TRUE(timer.fired > 0 || received.size() < 1000) << "the timer starved";
            read_on();
        };
        Callback first(read_on);
        fresh.post(first);
        run_until([&] { return received.size() == sent.size(); });
        EXPECT_EQ(received, sent);
        if (Loop::describe().settable_poll_interval) {
            EXPECT_LE(longest, interval);
        }
        EXPECT_LT(longest, sent.size());
    }
}

TEST_P(StreamTest, Contract1_WritesThatEndAtOnceCountTowardsThePollInterval) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    CountedTimer timer(loop());
    timer.start_after(0ns);
    int writes = 0, in_a_row = 0, longest = 0;
    constexpr int wanted = 2000;
    std::string received;
    Write write;
    const auto write_on = [&] {
        in_a_row = 0;
        while (writes < wanted && write_all(stream, write, "x") == Start::done) {
            ++writes;
            longest = std::max(longest, ++in_a_row);
        }
        peer.take(received, 4096);
    };
    write.body = [&] {
        ++writes;
        EXPECT_TRUE(timer.fired > 0 || writes < 1000) << "the timer starved";
        write_on();
    };
    Callback first(write_on);
    loop().post(first);
    run_until([&] { return writes == wanted; });
    if (Loop::describe().settable_poll_interval) {
        EXPECT_LE(longest, 61);
    }
    EXPECT_LT(longest, wanted);
    received += peer.receive(wanted - received.size());
    EXPECT_EQ(received, std::string(wanted, 'x'));
}

TEST_P(StreamTest, Contract8_AllDataComesBeforeTheEndOfFile) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    const std::string sent = pattern(100'000);
    peer.send(sent);
    peer.shutdown_write();
    turns(2);  // both are there before anybody reads
    Recorder recorder;
    recorder.on_eof = [&] { EXPECT_TRUE(recorder.received == sent); };
    stream.start_reading(recorder);
    run_until([&] { return recorder.eofs > 0; });
    turns(3);
    EXPECT_EQ(recorder.eofs, 1);
    EXPECT_TRUE(recorder.losses.empty());
}

TEST_P(StreamTest, Contract8_PullReadsAllDataThenZeroAtTheEndOfFile) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    const std::string sent = pattern(100'000);
    peer.send(sent);
    peer.shutdown_write();
    std::string received;
    std::vector<std::byte> buffer(4096);
    Read read;
    for (;;) {
        read_some(stream, read, buffer);
        complete(read);
        ASSERT_TRUE(read.result.ok());
        if (*read.result == 0) break;
        received.append(reinterpret_cast<const char*>(buffer.data()), *read.result);
    }
    EXPECT_TRUE(received == sent);
    read_some(stream, read, buffer);  // and it stays at the end
    complete(read);
    EXPECT_EQ(read.result.value(), 0u);
}

TEST_P(StreamTest, Contract8_AReadThatWaitsSeesTheEndOfFile) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    std::byte buffer[16];
    Read read;
    EXPECT_EQ(read_some(stream, read, buffer), Start::pending);
    turns(2);
    EXPECT_FALSE(read.ended());
    peer.shutdown_write();
    complete(read);
    EXPECT_EQ(read.result.value(), 0u);
}

TEST_P(StreamTest, Contract8_WritingGoesOnAfterThePeersHalfClose) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    stream.start_reading(recorder);
    peer.send("question");
    peer.shutdown_write();
    run_until([&] { return recorder.eofs == 1; });
    EXPECT_EQ(recorder.received, "question");
    const std::string answer = pattern(2 * mebibyte);
    stream.write(bytes_of(answer));
    SlowReader reader(loop(), peer, 128 * 1024);
    run_until([&] { return reader.received.size() >= answer.size(); });
    reader.stop();
    turns(3);
    EXPECT_TRUE(reader.received == answer);
    EXPECT_EQ(recorder.eofs, 1);
    EXPECT_TRUE(recorder.losses.empty());
}

TEST_P(StreamTest, Contract8_ShutdownSendsWhatIsQueuedThenEndOfFileAndReadingGoesOn) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    stream.start_reading(recorder);
    const std::string sent = pattern(16 * mebibyte);
    stream.write(bytes_of(sent));
    ASSERT_GT(stream.queued_bytes(), 0u);
    Shutdown shutdown;
    EXPECT_EQ(shutdown_write(stream, shutdown), Start::pending);
    SlowReader reader(loop(), peer, 128 * 1024);
    complete(shutdown);
    EXPECT_TRUE(shutdown.result.ok());
    EXPECT_EQ(stream.queued_bytes(), 0u);
    reader.stop();
    turns(2);
    reader.received += peer.receive(sent.size() - reader.received.size());
    EXPECT_TRUE(reader.received == sent);
    EXPECT_EQ(peer.receive(1), "") << "no end of file";
    peer.send("still heard");
    run_until([&] { return recorder.received == "still heard"; });
    peer.shutdown_write();
    run_until([&] { return recorder.eofs == 1; });
    EXPECT_TRUE(recorder.losses.empty());
}

TEST_P(StreamTest, Contract8_ShutdownGoesBehindAWriteAllInFlight) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    const std::string sent = pattern(16 * mebibyte);
    Write write;
    EXPECT_EQ(write_all(stream, write, sent), Start::pending);
    Shutdown shutdown;
    EXPECT_EQ(shutdown_write(stream, shutdown), Start::pending);
    SlowReader reader(loop(), peer, 128 * 1024);
    complete(write, shutdown);
    EXPECT_EQ(write.result.value(), sent.size());
    EXPECT_TRUE(shutdown.result.ok());
    reader.stop();
    turns(2);
    reader.received += peer.receive(sent.size() - reader.received.size());
    EXPECT_TRUE(reader.received == sent);
    EXPECT_EQ(peer.receive(1), "");
}

TEST_P(StreamTest, Contract8_AResetIsAConnectionLostAndNoEndOfFile) {
    Loop::Stream stream(loop());
    Peer peer = connected(stream);
    Recorder recorder;
    stream.start_reading(recorder);
    peer.send("before");
    run_until([&] { return recorder.received == "before"; });
    stream.write(bytes_of("unread"));
    peer.reset();
    run_until([&] { return !recorder.losses.empty(); });
    turns(3);
    ASSERT_EQ(recorder.losses.size(), 1u);
    EXPECT_EQ(recorder.losses[0], std::errc::connection_reset);
    EXPECT_EQ(recorder.eofs, 0);
    EXPECT_EQ(recorder.received, "before");
    close_and_wait(stream);
}

TEST_P(StreamTest, Contract8_AResetIsAnErrorOfThePendingRead) {
    Loop::Stream stream(loop());
    Peer peer = connected(stream);
    stream.write(bytes_of("unread"));
    std::byte buffer[16];
    Read read;
    EXPECT_EQ(read_some(stream, read, buffer), Start::pending);
    turns(2);
    peer.reset();
    complete(read);
    EXPECT_EQ(read.result.outcome(), Outcome::error);
    EXPECT_EQ(read.result.error(), std::errc::connection_reset);
    EXPECT_EQ(read.completions, 1);
}

TEST_P(StreamTest, Contract8_AResetInTheMiddleOfAWriteDropsWhatIsQueued) {
    Loop::Stream stream(loop());
    Peer peer = connected(stream);
    Recorder recorder;
    stream.start_reading(recorder);
    const std::string sent = pattern(16 * mebibyte);
    stream.write(bytes_of(sent));
    std::string some;
    while (some.size() < 100'000) {
        peer.take(some, 10'000);
        turn();
    }
    EXPECT_GT(stream.queued_bytes(), 0u);
    peer.reset();
    run_until([&] { return !recorder.losses.empty(); });
    EXPECT_TRUE(recorder.losses[0] == std::errc::connection_reset ||
                recorder.losses[0] == std::errc::broken_pipe)
        << recorder.losses[0].message();
    EXPECT_EQ(recorder.eofs, 0);
    EXPECT_EQ(stream.queued_bytes(), 0u);
    recorder.call([&] { stream.write(bytes_of("dropped silently")); });
    EXPECT_EQ(stream.queued_bytes(), 0u);
    turns(3);
    EXPECT_EQ(recorder.losses.size(), 1u);
    EXPECT_TRUE(sent.starts_with(some));
}

TEST_P(StreamTest, Contract8_AResetInTheMiddleIsAnErrorOfWriteAll) {
    Loop::Stream stream(loop());
    Peer peer = connected(stream);
    const std::string sent = pattern(16 * mebibyte);
    Write write;
    EXPECT_EQ(write_all(stream, write, sent), Start::pending);
    std::string some;
    while (some.size() < 100'000) {
        peer.take(some, 10'000);
        turn();
    }
    peer.reset();
    complete(write);
    EXPECT_EQ(write.result.outcome(), Outcome::error);
    EXPECT_TRUE(write.result.error() == std::errc::connection_reset ||
                write.result.error() == std::errc::broken_pipe)
        << write.result.error().message();
    turns(2);
    EXPECT_EQ(write.completions, 1);
}

TEST_P(StreamTest, PauseComesAboveHighWaterAndResumeAtAQuarterOfIt) {
    LoopOptions options;
    options.high_water = 1'000'000;
    Loop& fresh = make_loop(options);
    Loop::Stream stream(fresh);
    const Peer peer = connected(stream, SocketOptions{true, 16 * 1024, 0});
    Recorder recorder;
    stream.start_reading(recorder);
    std::string block(100'000, 'x');
    std::size_t written = 0;
    while (stream.queued_bytes() + block.size() <= options.high_water) {
        recorder.call([&] { stream.write(bytes_of(block)); });
        written += block.size();
    }
    // Exactly at the mark is not above it.
    block.resize(options.high_water - stream.queued_bytes());
    stream.write(bytes_of(block));
    written += block.size();
    if (stream.queued_bytes() == options.high_water) {
        turns(1);
        EXPECT_EQ(recorder.pauses, 0);
    }
    block.resize(100'000, 'x');
    for (int i = 0; i < 5; ++i) {
        recorder.call([&] { stream.write(bytes_of(block)); });
        written += block.size();
    }
    EXPECT_GT(stream.queued_bytes(), options.high_water);
    run_until([&] { return recorder.pauses == 1; });
    EXPECT_EQ(recorder.resumes, 0);
    recorder.on_resume = [&] { EXPECT_LE(stream.queued_bytes(), options.high_water / 4); };
    std::string received;
    while (recorder.resumes == 0) {
        peer.take(received, 10'000);
        if (stream.queued_bytes() > options.high_water / 4) {
            EXPECT_EQ(recorder.resumes, 0);
        }
        turn();
    }
    EXPECT_GT(stream.queued_bytes(), 0u) << "resume waited for the queue to be empty";
    while (received.size() < written) {
        peer.take(received, 100'000);
        turn();
    }
    EXPECT_EQ(recorder.pauses, 1);
    EXPECT_EQ(recorder.resumes, 1);
    EXPECT_EQ(received, std::string(written, 'x'));
    // And again.
    block.resize(2'000'000, 'x');
    stream.write(bytes_of(block));
    run_until([&] { return recorder.pauses == 2; });
}

TEST_P(StreamTest, WhoStopsReadingForAPauseStillHearsOfItsEnd) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    recorder.on_pause = [&] { stream.stop_reading(); };
    recorder.on_resume = [&] { recorder.call([&] { stream.start_reading(recorder); }); };
    stream.start_reading(recorder);
    const std::string sent = pattern(16 * mebibyte);
    stream.write(bytes_of(sent));
    run_until([&] { return recorder.pauses == 1; });
    peer.send("meanwhile");
    turns(5);
    EXPECT_EQ(recorder.received, "");
    SlowReader reader(loop(), peer, 256 * 1024);
    run_until([&] { return recorder.received == "meanwhile"; });
    EXPECT_EQ(recorder.resumes, 1);
    run_until([&] { return reader.received.size() >= sent.size(); });
    reader.stop();
    turns(2);
    EXPECT_TRUE(reader.received == sent);
}

TEST_P(StreamTest, StopReadingKeepsTheBytesForLater) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    stream.start_reading(recorder);
    peer.send("first");
    run_until([&] { return recorder.received == "first"; });
    recorder.call([&] { stream.stop_reading(); });
    peer.send("second");
    turns(5);
    EXPECT_EQ(recorder.received, "first");
    recorder.call([&] { stream.start_reading(recorder); });
    run_until([&] { return recorder.received == "firstsecond"; });
}

TEST_P(StreamTest, StoppedFromInsideDataReceivedNothingMoreComes) {
    LoopOptions options;
    options.read_buffer = 100;
    Loop& fresh = make_loop(options);
    Loop::Stream stream(fresh);
    const Peer peer = connected(stream);
    const std::string sent = pattern(1000);
    peer.send(sent);
    peer.shutdown_write();
    Recorder recorder;
    int calls = 0;
    recorder.on_data = [&] {
        ++calls;
        stream.stop_reading();
    };
    for (int i = 1; recorder.received.size() < sent.size(); ++i) {
        stream.start_reading(recorder);
        run_until([&] { return calls == i; });
        turns(3);
        ASSERT_EQ(calls, i);
        ASSERT_EQ(recorder.eofs, 0);
    }
    stream.start_reading(recorder);
    run_until([&] { return recorder.eofs == 1; });
    EXPECT_EQ(recorder.received, sent);
}

// As an echo with a switch in the middle: the faces take turns and no byte falls between them.
TEST_P(StreamTest, ReadingMayChangeFromPushToPullAndBack) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    std::byte buffer[64];
    Read read;
    for (int i = 0; i < 10; ++i) {
        peer.send("push");
        stream.start_reading(recorder);
        run_until([&] { return !recorder.received.empty(); });
        stream.stop_reading();
        std::string received = std::exchange(recorder.received, {});
        peer.send("pull");
        while (received.size() < 8) {
            read_some(stream, read, buffer);
            complete(read);
            received.append(reinterpret_cast<const char*>(buffer), read.result.value());
        }
        EXPECT_EQ(received, "pushpull");
    }
}

TEST_P(StreamTest, AnOwnerMayCallAnythingFromInside) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    Shutdown shutdown;
    recorder.on_data = [&] {
        stream.write(bytes_of(recorder.received));
        stream.stop_reading();
        stream.start_reading(recorder);
    };
    recorder.on_eof = [&] { shutdown_write(stream, shutdown); };
    stream.start_reading(recorder);
    peer.send("echo");
    run_until([&] { return recorder.received == "echo"; });
    turns(2);  // a loop may send with its next poll
    EXPECT_EQ(peer.receive(4), "echo");
    peer.shutdown_write();
    run_until([&] { return recorder.eofs == 1 && shutdown.ended(); });
    EXPECT_EQ(peer.receive(1), "");
}

TEST_P(StreamTest, AReadAndAWriteMayBeInFlightTogether) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    const std::string sent = pattern(16 * mebibyte), answer = pattern(1000, 2);
    std::vector<std::byte> buffer(2000);
    Read read;
    Write write;
    EXPECT_EQ(read_some(stream, read, buffer), Start::pending);
    EXPECT_EQ(write_all(stream, write, sent), Start::pending);
    turns(2);
    peer.send(answer);
    complete(read);
    EXPECT_FALSE(write.ended());
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffer.data()), read.result.value()),
              answer.substr(0, read.result.value()));
    SlowReader reader(loop(), peer, 256 * 1024);
    run_until([&] { return write.ended() && reader.received.size() == sent.size(); });
    reader.stop();
    turns(2);
    EXPECT_TRUE(reader.received == sent);
}

TEST_P(StreamTest, TwoLoopStreamsTalkToEachOther) {
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    Loop::Stream client(loop()), server(loop());
    Accept accepting;
    Connect connecting;
    accept(listener, accepting, server);
    connect(client, connecting, listener.local_endpoint());
    complete(accepting, connecting);
    ASSERT_TRUE(accepting.result.ok() && connecting.result.ok());
    EXPECT_TRUE(client.open() && server.open());
    Recorder echo, recorder;
    echo.on_data = [&] { server.write(bytes_of(std::exchange(echo.received, {}))); };
    server.start_reading(echo);
    client.start_reading(recorder);
    const std::string sent = pattern(16 * mebibyte);
    client.write(bytes_of(sent));
    run_until([&] { return recorder.received.size() >= sent.size(); });
    EXPECT_TRUE(recorder.received == sent);
    close_and_wait(client);
    run_until([&] { return echo.eofs == 1; });
}

}  // namespace
}  // namespace loopbench::conformance
