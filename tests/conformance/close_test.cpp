// Closing and cancelling: sentences 1, 7 and 8.

#include <random>

#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class CloseTest : public OverTransports {};
class CancelTest : public OverTransports {};
INSTANTIATE_TEST_SUITE_P(Over, CloseTest, every_transport(), transport_name);
INSTANTIATE_TEST_SUITE_P(Over, CancelTest, every_transport(), transport_name);

/// Expects that an operation in flight completes exactly once, as cancelled, before a close does.
template <class Op>
void expect_cancelled_before(Op& operation, const Close& closing) {
    operation.body = [&] {
        EXPECT_TRUE(operation.result.cancelled());
        EXPECT_EQ(closing.completions, 0) << "close completed before what was in flight";
    };
}

TEST_P(CloseTest, Contract1_CloseCompletesLaterAndSuccessfully) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Close closing;  // fails when it completes inside `close`
    close(stream, closing);
    EXPECT_EQ(closing.completions, 0);
    complete(closing);
    EXPECT_TRUE(closing.result.ok());
    turns(3);
    EXPECT_EQ(closing.completions, 1);
    EXPECT_EQ(peer.drain(), 0);
}

TEST_P(CloseTest, Contract8_CloseCompletesAReadInFlightAsCancelledFirst) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    std::byte buffer[64];
    Close closing;
    Read read;
    expect_cancelled_before(read, closing);
    EXPECT_EQ(read_some(stream, read, buffer), Start::pending);
    turns(2);
    close(stream, closing);
    complete(closing);
    turns(3);
    EXPECT_EQ(read.completions, 1);
    EXPECT_EQ(closing.completions, 1);
}

TEST_P(CloseTest, Contract8_CloseCompletesReadWriteAndShutdownInFlightAsCancelledFirst) {
    for (const int turns_before : {0, 1, 3}) {
        Loop::Stream stream(loop());
        const Peer peer = connected(stream);
        std::byte buffer[64];
        const std::string sent = pattern(16 * mebibyte);
        Close closing;
        Read read;
        Write write;
        Shutdown shutdown;
        expect_cancelled_before(read, closing);
        expect_cancelled_before(write, closing);
        expect_cancelled_before(shutdown, closing);
        EXPECT_EQ(read_some(stream, read, buffer), Start::pending);
        EXPECT_EQ(write_all(stream, write, sent), Start::pending);
        EXPECT_EQ(shutdown_write(stream, shutdown), Start::pending);
        turns(turns_before);
        close(stream, closing);
        complete(closing);
        turns(3);
        EXPECT_EQ(read.completions, 1);
        EXPECT_EQ(write.completions, 1);
        EXPECT_EQ(shutdown.completions, 1);
        EXPECT_EQ(closing.completions, 1);
    }
}

TEST_P(CloseTest, Contract8_CloseCompletesAConnectInFlightAsCancelledFirst) {
    const PlainListener listener(fresh_endpoint(GetParam()));
    Loop::Stream stream(loop());
    Close closing;
    Connect connecting;
    expect_cancelled_before(connecting, closing);
    const Start start = connect(stream, connecting, listener.endpoint());
    close(stream, closing);
    complete(closing);
    turns(3);
    EXPECT_EQ(connecting.completions, start == Start::done ? 0 : 1);
    EXPECT_FALSE(stream.open());
}

TEST_P(CloseTest, Contract8_CloseCompletesAnAcceptInFlightAsCancelledFirst) {
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    Loop::Stream stream(loop());
    Close closing;
    Accept accepting;
    expect_cancelled_before(accepting, closing);
    EXPECT_EQ(accept(listener, accepting, stream), Start::pending);
    turns(2);
    close(listener, closing);
    complete(closing);
    turns(3);
    EXPECT_EQ(accepting.completions, 1);
    EXPECT_TRUE(closing.result.ok());
    EXPECT_FALSE(stream.open());
}

TEST_P(CloseTest, Contract8_AnAcceptCompletesOnceWhenItsStreamsConnectionComesWithTheClose) {
    for (int i = 0; i < 20; ++i) {
        Loop::Listener listener(loop());
        ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
        Loop::Stream stream(loop());
        Close closing;
        Accept accepting;
        accepting.body = [&] { EXPECT_EQ(closing.completions, 0); };
        EXPECT_EQ(accept(listener, accepting, stream), Start::pending);
        const Peer peer = plain_connect(listener.local_endpoint());
        turns(i % 3);
        close(listener, closing);
        complete(closing);
        turns(3);
        EXPECT_EQ(accepting.completions, 1);
        EXPECT_EQ(stream.open(), accepting.result.ok());
    }
}

TEST_P(CloseTest, CloseDropsWhatIsQueued) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    stream.write(bytes_of(pattern(16 * mebibyte)));
    ASSERT_GT(stream.queued_bytes(), 0u);
    close_and_wait(stream);
    EXPECT_EQ(stream.queued_bytes(), 0u);
    std::string received;
    while (peer.take(received, 65536) > 0) {
    }
    EXPECT_LT(received.size(), 16 * mebibyte);
}

TEST_P(CloseTest, CloseIsAllowedOnAStreamThatNeverOpened) {
    Loop::Stream stream(loop());
    close_and_wait(stream);
    Loop::Listener listener(loop());
    close_and_wait(listener);
}

TEST_P(CloseTest, NothingIsToldOnceTheOwnerHasCalledClose) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    stream.start_reading(recorder);
    peer.send("data");
    peer.shutdown_write();
    Close closing;
    recorder.call([&] { close(stream, closing); });
    recorder.expect_silence();
    complete(closing);
    turns(3);
    EXPECT_EQ(recorder.received, "");
}

TEST_P(CloseTest, TheOwnerMayCloseFromInsideDataReceived) {
    LoopOptions options;
    options.read_buffer = 100;  // so that more is there already
    Loop& fresh = make_loop(options);
    Loop::Stream stream(fresh);
    const Peer peer = connected(stream);
    Recorder recorder;
    Close closing;
    recorder.on_data = [&] {
        close(stream, closing);
        recorder.expect_silence();
    };
    peer.send(pattern(1000));
    peer.shutdown_write();
    stream.start_reading(recorder);
    complete(closing);
    turns(3);
    EXPECT_EQ(recorder.received.size(), 100u);
}

TEST_P(CloseTest, TheOwnerMayCloseFromInsideEofReceived) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    Recorder recorder;
    Close closing;
    recorder.on_eof = [&] {
        close(stream, closing);
        recorder.expect_silence();
    };
    stream.start_reading(recorder);
    peer.shutdown_write();
    complete(closing);
    EXPECT_EQ(peer.drain(), 0);
}

TEST_P(CloseTest, TheOwnerMayCloseFromInsideConnectionLost) {
    Loop::Stream stream(loop());
    Peer peer = connected(stream);
    Recorder recorder;
    Close closing;
    recorder.on_lost = [&] { close(stream, closing); };
    stream.start_reading(recorder);
    stream.write(bytes_of("unread"));
    peer.reset();
    complete(closing);
    EXPECT_EQ(recorder.losses.size(), 1u);
}

TEST_P(CloseTest, TheOwnerMayCloseFromInsidePauseAndResume) {
    for (const bool resume : {false, true}) {
        LoopOptions options;
        options.high_water = 1000;
        Loop& fresh = make_loop(options);
        Loop::Stream stream(fresh);
        const Peer peer = connected(stream);
        Recorder recorder;
        Close closing;
        const auto close_now = [&] {
            close(stream, closing);
            recorder.expect_silence();
        };
        (resume ? recorder.on_resume : recorder.on_pause) = close_now;
        stream.start_reading(recorder);
        stream.write(bytes_of(pattern(16 * mebibyte)));
        ASSERT_GT(stream.queued_bytes(), options.high_water);
        std::string received;
        while (!closing.ended()) {
            peer.take(received, 100'000);
            turn();
        }
        turns(3);
        EXPECT_EQ(closing.completions, 1);
    }
}

// The completion may free everything: the stream, its owner, the operation.
TEST_P(CloseTest, Contract8_TheStreamMayBeDestroyedFromInsideTheCompletionOfClose) {
    struct Connection {
        explicit Connection(Loop& loop) : stream(loop) {}
        Loop::Stream stream;
        Read read;
        std::byte buffer[16];
        Recorder recorder;
    };
    for (const bool pull : {false, true}) {
        auto connection = std::make_unique<Connection>(loop());
        const Peer peer = connected(connection->stream);
        if (pull) {
            read_some(connection->stream, connection->read, connection->buffer);
        } else {
            connection->stream.start_reading(connection->recorder);
        }
        connection->stream.write(bytes_of(pattern(16 * mebibyte)));
        turns(1);
        Close closing([&] { connection.reset(); });
        close(connection->stream, closing);
        run_until([&] { return connection == nullptr; });
        turns(3);
    }
}

TEST_P(CloseTest, TheStreamMayBeConnectedAnewFromInsideTheCompletionOfClose) {
    const PlainListener listener(fresh_endpoint(GetParam()));
    Loop::Stream stream(loop());
    Recorder first, second;
    Connect connecting;
    connect(stream, connecting, listener.endpoint());
    complete(connecting);
    Peer old_peer = listener.accept();
    stream.start_reading(first);
    old_peer.send("old");
    run_until([&] { return first.received == "old"; });
    stream.write(bytes_of(pattern(16 * mebibyte)));
    Connect reconnecting;
    Close closing([&] { connect(stream, reconnecting, listener.endpoint()); });
    close(stream, closing);
    first.expect_silence();
    run_until([&] { return closing.ended() && reconnecting.ended(); });
    ASSERT_TRUE(reconnecting.result.ok());
    EXPECT_TRUE(stream.open());
    EXPECT_EQ(stream.queued_bytes(), 0u);
    const Peer peer = listener.accept();
    stream.start_reading(second);
    stream.write(bytes_of("hello"));
    turns(2);  // a loop may send with its next poll
    EXPECT_EQ(peer.receive(5), "hello");
    peer.send("again");
    peer.shutdown_write();
    run_until([&] { return second.eofs == 1; });
    EXPECT_EQ(second.received, "again");
}

TEST_P(CloseTest, AListenerMayListenAnewAfterItsClose) {
    Loop::Listener listener(loop());
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
        const Peer peer = plain_connect(listener.local_endpoint());
        Loop::Stream stream(loop());
        Accept accepting;
        accept(listener, accepting, stream);
        complete(accepting);
        EXPECT_TRUE(accepting.result.ok());
        close_and_wait(listener);
        EXPECT_TRUE(stream.open());
        close_and_wait(stream);
    }
}

TEST_P(CloseTest, Contract8_DestroyingAnOpenStreamClosesItAtOnce) {
    for (const bool pushing : {false, true}) {
        Recorder recorder;
        auto stream = std::make_unique<Loop::Stream>(loop());
        const Peer peer = connected(*stream);
        if (pushing) {
            stream->start_reading(recorder);
            turns(2);
        }
        stream.reset();
        recorder.expect_silence();
        EXPECT_EQ(peer.drain(), 0);  // without a turn of the loop
        turns(3);
    }
}

TEST_P(CloseTest, Contract8_AnOpenStreamMayBeDestroyedWithBytesQueuedOrUnread) {
    Recorder recorder;
    auto stream = std::make_unique<Loop::Stream>(loop());
    const Peer peer = connected(*stream);
    stream->start_reading(recorder);
    stream->write(bytes_of(pattern(16 * mebibyte)));
    peer.send("unread");
    stream.reset();
    recorder.expect_silence();
    turns(3);
    const int error = peer.drain();
    EXPECT_TRUE(error == 0 || error == ECONNRESET) << error;
}

TEST_P(CloseTest, AnOpenListenerMayBeDestroyed) {
    auto listener = std::make_unique<Loop::Listener>(loop());
    ASSERT_TRUE(listener->listen(fresh_endpoint(GetParam()), {}).ok());
    const Endpoint endpoint = listener->local_endpoint();
    listener.reset();
    turns(2);
    const Peer socket = plain_socket(endpoint.family());
    EXPECT_EQ(::connect(socket.get(), endpoint.address(), endpoint.length), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
}

TEST_P(CancelTest, Contract7_ACancelledReadCompletesExactlyOnceAndLater) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    std::byte buffer[64];
    Read read;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(read_some(stream, read, buffer), Start::pending);
        turns(i % 3);
        EXPECT_EQ(read.completions, 0);
        stream.cancel(read);
        if (i % 2 == 0) stream.cancel(read);
        EXPECT_EQ(read.completions, 0) << "completed inside cancel";
        complete(read);
        EXPECT_TRUE(read.result.cancelled());
        turns(2);
        EXPECT_EQ(read.completions, 1);
    }
    peer.send("usable");
    read_some(stream, read, buffer);
    complete(read);
    EXPECT_EQ(read.result.value(), 6u);
}

TEST_P(CancelTest, Contract7_CancellingWhatHasCompletedIsHarmless) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    std::byte buffer[64];
    Read read, never_started;
    Write write;
    stream.cancel(never_started);
    peer.send("one");
    read_some(stream, read, buffer);
    complete(read);
    const int completions = read.completions;
    stream.cancel(read);
    turns(3);
    EXPECT_EQ(read.completions, completions);
    EXPECT_EQ(read.result.value(), 3u);
    write_all(stream, write, "two");
    complete(write);
    stream.cancel(write);
    EXPECT_EQ(peer.receive(3), "two");
    // Nor does it strike the next operation, even if that is the same object.
    peer.send("three");
    read_some(stream, read, buffer);
    complete(read);
    EXPECT_EQ(read.result.value(), 5u);
}

TEST_P(CancelTest, Contract7_AnOperationCancelledFromInsideItsOwnCompletionIsOver) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    std::byte buffer[64];
    Read read;
    read.body = [&] { stream.cancel(read); };
    EXPECT_EQ(read_some(stream, read, buffer), Start::pending);
    peer.send("x");
    complete(read);
    turns(3);
    EXPECT_EQ(read.completions, 1);
    EXPECT_TRUE(read.result.ok());
}

// What was read belongs to the caller whenever the result says so, and to the next read otherwise.
TEST_P(CancelTest, Contract7_NoByteIsLostWhenACancelRacesACompletedRead) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    std::mt19937_64 random(11);
    const std::string sent = pattern(40'000);
    std::string_view rest = sent;
    std::string received;
    std::byte buffer[64];
    int cancelled = 0, succeeded = 0;
    Read read;
    while (received.size() < sent.size()) {
        const bool at_once = read_some(stream, read, buffer) == Start::done;
        Callback canceller([&] { stream.cancel(read); });
        CountedTimer timer(loop(), [&] { stream.cancel(read); });
        const auto send_some = [&] {
            const std::size_t size = std::min<std::size_t>(1 + random() % 100, rest.size());
            rest.remove_prefix(peer.send_now(rest.substr(0, size)));  // none when it is full
        };
        const unsigned choice = random() % 6;
        if (choice == 0) stream.cancel(read);
        // Some rounds send nothing, so that a loop which tries at once finds nothing, too.
        const bool quiet = rest.empty() || random() % 4 == 0;
        if (!quiet) send_some();
        if (choice == 1) stream.cancel(read);
        if (choice == 2) loop().post(canceller);
        if (choice == 3) timer.start_after(0ns);
        turns(static_cast<int>(random() % 3));
        if (choice == 4) stream.cancel(read);
        if (quiet || at_once) stream.cancel(read);
        complete(read);
        ASSERT_EQ(read.completions, at_once ? 0 : 1);
        if (read.result.ok()) {
            received.append(reinterpret_cast<const char*>(buffer), *read.result);
            ++succeeded;
        } else {
            ASSERT_TRUE(read.result.cancelled());
            ++cancelled;
        }
        if (choice == 2) complete(canceller);
        ASSERT_EQ(read.completions, at_once ? 0 : 1);
    }
    EXPECT_TRUE(received == sent);
    EXPECT_GT(cancelled, 0);
    EXPECT_GT(succeeded, 0);
}

TEST_P(CancelTest, Contract7_ACancelledWriteAllCompletesExactlyOnceAndSendsAPrefix) {
    for (const int turns_before : {0, 1, 4}) {
        Loop::Stream stream(loop());
        const Peer peer = connected(stream);
        const std::string sent = pattern(16 * mebibyte);
        Write write;
        std::string received;
        EXPECT_EQ(write_all(stream, write, sent), Start::pending);
        for (int i = 0; i < turns_before; ++i) {
            peer.take(received, 100'000);
            turn();
        }
        stream.cancel(write);
        EXPECT_EQ(write.completions, 0) << "completed inside cancel";
        complete(write);
        EXPECT_TRUE(write.result.cancelled());
        turns(3);
        EXPECT_EQ(write.completions, 1);
        close_and_wait(stream);
        while (peer.take(received, 100'000) > 0) {
        }
        EXPECT_LT(received.size(), sent.size());
        EXPECT_TRUE(sent.starts_with(received));
    }
}

TEST_P(CancelTest, Contract7_ACancelledWriteAllThatWasAllSentSaysSo) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    for (int i = 0; i < 200; ++i) {
        Write write;
        write_all(stream, write, "0123456789");
        turns(i % 2);
        stream.cancel(write);
        complete(write);
        std::string received;
        turns(1);
        peer.take(received, 100);
        if (write.result.ok()) {
            EXPECT_EQ(received, "0123456789");
        } else {
            ASSERT_TRUE(write.result.cancelled());
            EXPECT_EQ(received, "") << "a write that was sent is a success";
        }
    }
}

TEST_P(CancelTest, Contract7_ACancelledShutdownCompletesExactlyOnce) {
    Loop::Stream stream(loop());
    const Peer peer = connected(stream);
    stream.write(bytes_of(pattern(16 * mebibyte)));
    ASSERT_GT(stream.queued_bytes(), 0u);
    Shutdown shutdown;
    EXPECT_EQ(shutdown_write(stream, shutdown), Start::pending);
    turns(2);
    stream.cancel(shutdown);
    EXPECT_EQ(shutdown.completions, 0) << "completed inside cancel";
    complete(shutdown);
    EXPECT_TRUE(shutdown.result.cancelled());
    turns(3);
    EXPECT_EQ(shutdown.completions, 1);
    stream.cancel(shutdown);  // harmless
}

TEST_P(CancelTest, Contract7_ACancelledAcceptCompletesExactlyOnceAndLosesNoConnection) {
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    std::mt19937_64 random(12);
    std::vector<Peer> peers;
    std::vector<std::unique_ptr<Loop::Stream>> accepted;
    constexpr std::size_t wanted = 50;
    int cancelled = 0;
    Accept accepting;
    while (accepted.size() < wanted) {
        auto stream = std::make_unique<Loop::Stream>(loop());
        const bool at_once = accept(listener, accepting, *stream) == Start::done;
        const unsigned choice = random() % 3;
        if (choice == 0) listener.cancel(accepting);
        if (peers.size() < wanted) peers.push_back(plain_connect(listener.local_endpoint()));
        if (choice == 1) listener.cancel(accepting);
        turns(static_cast<int>(random() % 2));
        if (peers.size() == accepted.size()) listener.cancel(accepting);
        complete(accepting);
        turns(1);
        ASSERT_EQ(accepting.completions, at_once ? 0 : 1);
        ASSERT_EQ(stream->open(), accepting.result.ok());
        if (accepting.result.ok()) {
            accepted.push_back(std::move(stream));
        } else {
            ASSERT_TRUE(accepting.result.cancelled());
            ++cancelled;
        }
    }
    EXPECT_GT(cancelled, 0);
    for (const auto& stream : accepted) stream->write(bytes_of("x"));
    turns(2);
    for (const Peer& peer : peers) EXPECT_EQ(peer.receive(1), "x");
    // Nothing more is there.
    Loop::Stream stream(loop());
    EXPECT_EQ(accept(listener, accepting, stream), Start::pending);
    turns(3);
    EXPECT_FALSE(accepting.ended());
    listener.cancel(accepting);
    complete(accepting);
}

TEST_P(CancelTest, Contract7_ACancelledConnectCompletesExactlyOnce) {
    const PlainListener listener(fresh_endpoint(GetParam()));
    for (int i = 0; i < 20; ++i) {
        Loop::Stream stream(loop());
        Connect connecting;
        const Start start = connect(stream, connecting, listener.endpoint());
        turns(i % 2);
        stream.cancel(connecting);
        complete(connecting);
        turns(2);
        EXPECT_EQ(connecting.completions, start == Start::done ? 0 : 1);
        EXPECT_EQ(stream.open(), connecting.result.ok());
        if (!connecting.result.ok()) {
            EXPECT_TRUE(connecting.result.cancelled());
        }
        close_and_wait(stream);
    }
}

// A listener with a full queue answers nobody, so that the connect surely waits.
TEST_P(CancelTest, Contract7_AConnectThatWaitsForItsPeerCanBeCancelled) {
    if (is_unix()) GTEST_SKIP() << "a Unix socket's connect never waits for its peer";
    const PlainListener listener(fresh_endpoint(GetParam()), 0);
    const Peer filler = plain_connect(listener.endpoint());
    for (const bool by_close : {false, true}) {
        Loop::Stream stream(loop());
        Connect connecting;
        Close closing;
        if (by_close) expect_cancelled_before(connecting, closing);
        EXPECT_EQ(connect(stream, connecting, listener.endpoint()), Start::pending);
        turns(3);
        ASSERT_FALSE(connecting.ended());
        if (!by_close) {
            stream.cancel(connecting);
            EXPECT_EQ(connecting.completions, 0) << "completed inside cancel";
            complete(connecting);
            EXPECT_TRUE(connecting.result.cancelled());
        }
        close(stream, closing);
        complete(closing);
        EXPECT_EQ(connecting.completions, 1);
        EXPECT_FALSE(stream.open());
    }
}

}  // namespace
}  // namespace loopbench::conformance
