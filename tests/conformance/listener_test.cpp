// Listening, accepting, connecting, socket options.

#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/conformance/fixture.hpp"

namespace loopbench::conformance {
namespace {

class ListenerTest : public OverTransports {};
class ConnectTest : public OverTransports {};
INSTANTIATE_TEST_SUITE_P(Over, ListenerTest, every_transport(), transport_name);
INSTANTIATE_TEST_SUITE_P(Over, ConnectTest, every_transport(), transport_name);

TEST_P(ListenerTest, TheLocalEndpointSaysWhereItListens) {
    Loop::Listener listener(loop());
    const Endpoint endpoint = fresh_endpoint(GetParam());
    ASSERT_TRUE(listener.listen(endpoint, {}).ok());
    const Endpoint local = listener.local_endpoint();
    EXPECT_EQ(local.family(), endpoint.family());
    if (is_unix()) {
        EXPECT_STREQ(local.unix_path(), endpoint.unix_path());
    } else {
        EXPECT_NE(port_of(local), 0);
    }
    const Peer peer = plain_connect(local);
}

TEST_P(ListenerTest, AListenerAcceptsOneConnectionAfterAnother) {
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    constexpr std::size_t count = 100;
    std::vector<std::unique_ptr<Loop::Stream>> streams;
    std::vector<Peer> peers;
    Accept accepting;
    std::string received;
    const auto accept_on = [&] {
        do {
            if (streams.size() == count) return;
            streams.push_back(std::make_unique<Loop::Stream>(loop()));
        } while (accept(listener, accepting, *streams.back()) == Start::done);
    };
    accepting.body = [&] {
        EXPECT_TRUE(accepting.result.ok());
        accept_on();
    };
    Callback first(accept_on);
    loop().post(first);
    for (std::size_t i = 0; i < count; ++i) {
        peers.push_back(plain_connect(listener.local_endpoint()));
        if (i % 10 == 0) turns(1);
    }
    run_until([&] { return streams.size() == count && streams.back()->open(); });
    // Every peer has a stream of its own, and connections come in order.
    for (std::size_t i = 0; i < count; ++i) {
        const std::string number = std::to_string(i);
        streams[i]->write(bytes_of(number));
        turns(1);
        EXPECT_EQ(peers[i].receive(number.size()), number);
    }
}

TEST_P(ListenerTest, Contract1_AcceptOfAConnectionThatIsThereDoesNotCompleteInside) {
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    const Peer peer = plain_connect(listener.local_endpoint());
    turns(2);
    Loop::Stream stream(loop());
    Accept accepting;  // fails when it completes inside
    accept(listener, accepting, stream);
    complete(accepting);
    EXPECT_TRUE(accepting.result.ok());
    EXPECT_TRUE(stream.open());
}

TEST_P(ListenerTest, AnAddressInUseIsAnError) {
    const PlainListener taken(fresh_endpoint(GetParam()));
    Loop::Listener listener(loop());
    const Result<> result = listener.listen(taken.endpoint(), {});
    EXPECT_EQ(result.outcome(), Outcome::error);
    EXPECT_EQ(result.error(), std::errc::address_in_use) << result.error().message();
    // The other way round, and between two of the loop; the refused one is still good.
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    Loop::Listener second(loop());
    EXPECT_EQ(second.listen(listener.local_endpoint(), {}).error(), std::errc::address_in_use);
    EXPECT_THROW(PlainListener{listener.local_endpoint()}, std::system_error);
}

TEST_P(ListenerTest, APathThatCannotBeIsAnError) {
    if (!is_unix()) GTEST_SKIP() << "about paths";
    Loop::Listener listener(loop());
    const Result<> result = listener.listen(unix_endpoint(fresh_path() + "/nowhere"), {});
    EXPECT_EQ(result.error(), std::errc::no_such_file_or_directory);
}

TEST_P(ListenerTest, ThePathOfAUnixSocketIsLeftToTheCaller) {
    if (!is_unix()) GTEST_SKIP() << "about paths";
    const std::string path = fresh_path();
    {
        Loop::Listener listener(loop());
        ASSERT_TRUE(listener.listen(unix_endpoint(path), {}).ok());
        close_and_wait(listener);
    }
    turns(1);
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << "the path was removed";
}

TEST_P(ListenerTest, AfterCloseTheAddressIsFree) {
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    const Endpoint endpoint = listener.local_endpoint();
    close_and_wait(listener);
    const Peer socket = plain_socket(endpoint.family());
    EXPECT_EQ(::connect(socket.get(), endpoint.address(), endpoint.length), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
    if (is_unix()) ::unlink(endpoint.unix_path());
    const PlainListener next(endpoint);
}

// Linux hands such a connection out like any other; elsewhere in the kernel it is ECONNABORTED.
TEST_P(ListenerTest, AConnectionThatWasResetBeforeItWasAcceptedIsNoError) {
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    plain_connect(listener.local_endpoint()).reset();
    const Peer peer = plain_connect(listener.local_endpoint());
    peer.send("alive");
    for (int i = 0; i < 2; ++i) {
        Loop::Stream stream(loop());
        Accept accepting;
        accept(listener, accepting, stream);
        complete(accepting);
        ASSERT_TRUE(accepting.result.ok());
        std::byte buffer[16];
        Read read;
        read_some(stream, read, buffer);
        complete(read);
        if (read.result.ok() && *read.result == 5) return;
    }
    FAIL() << "the second connection was never accepted";
}

/// Leaves few descriptors while it lives, and none between `begin` and `end`. The limit is lowered
/// first: an accept request of io_uring goes by the one that there was when it was made.
class DescriptorShortage {
  public:
    DescriptorShortage() {
        checked(::getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
        const Peer lowest(checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open"));
        rlimit lowered = before_;
        lowered.rlim_cur = static_cast<rlim_t>(lowest.get()) + 32;
        checked(::setrlimit(RLIMIT_NOFILE, &lowered), "setrlimit");
    }
    ~DescriptorShortage() { ::setrlimit(RLIMIT_NOFILE, &before_); }

    void begin() {
        for (int taken; (taken = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
            taken_.emplace_back(taken);
        }
    }
    void end() { taken_.clear(); }

  private:
    rlimit before_{};
    std::vector<Peer> taken_;
};

TEST_P(ListenerTest, AShortageOfDescriptorsIsSurvivedWithoutABusyLoop) {
    loop();  // is made before there are few
    DescriptorShortage shortage;
    Loop::Listener listener(loop());
    ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
    const Endpoint endpoint = listener.local_endpoint();
    Loop::Stream stream(loop());
    Accept accepting;
    EXPECT_EQ(accept(listener, accepting, stream), Start::pending);
    turns(2);
    Peer peer = plain_socket(endpoint.family());
    std::uint64_t turns_taken = 0;
    {
        shortage.begin();
        plain_connect(peer, endpoint);
        const std::uint64_t before = loop().counters().turns;
        CountedTimer timer(loop());
        timer.start_after(200ms);
        run_until([&] { return timer.fired == 1; });
        turns_taken = loop().counters().turns - before;
        EXPECT_FALSE(accepting.ended());
        shortage.end();
    }
    EXPECT_LT(turns_taken, 100u) << "a busy loop";
    if (!note("accept").empty()) {
        // Its library may have dropped the connection; then it must take the next one.
        const Peer next = plain_connect(endpoint);
        complete(accepting);
        EXPECT_TRUE(accepting.result.ok());
        return;
    }
    complete(accepting);
    ASSERT_TRUE(accepting.result.ok());
    stream.write(bytes_of("x"));
    turns(1);
    EXPECT_EQ(peer.receive(1), "x");
}

TEST_P(ListenerTest, AnAcceptThatSuffersAShortageCanBeCancelledAndClosed) {
    loop();  // is made before there are few
    for (const bool by_close : {false, true}) {
        DescriptorShortage shortage;
        Loop::Listener listener(loop());
        ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), {}).ok());
        Loop::Stream stream(loop());
        Accept accepting;
        EXPECT_EQ(accept(listener, accepting, stream), Start::pending);
        const Peer peer = plain_socket(listener.local_endpoint().family());
        const Endpoint endpoint = listener.local_endpoint();
        shortage.begin();
        plain_connect(peer, endpoint);
        turns(5);
        EXPECT_FALSE(accepting.ended());
        if (by_close) {
            close_and_wait(listener);
        } else {
            listener.cancel(accepting);
            complete(accepting);
        }
        EXPECT_EQ(accepting.completions, 1);
        EXPECT_TRUE(accepting.result.cancelled());
    }
}

/// The descriptor of this process that is the far end of a plain socket; -1 when there is none.
int descriptor_of_other_end(const Peer& peer) {
    sockaddr_storage wanted{};
    socklen_t length = sizeof wanted;
    checked(::getsockname(peer.get(), reinterpret_cast<sockaddr*>(&wanted), &length), "sockname");
    for (int descriptor = 3; descriptor < 1024; ++descriptor) {
        sockaddr_storage other{};
        socklen_t other_length = sizeof other;
        if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&other), &other_length) != 0) {
            continue;
        }
        if (other_length == length && std::memcmp(&other, &wanted, length) == 0) return descriptor;
    }
    return -1;
}

int option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    checked(::getsockopt(descriptor, level, name, &value, &length), "getsockopt");
    return value;
}

/// What a plain socket says after it was given these buffers: Linux doubles and clamps them.
std::pair<int, int> buffers_given(int family, int send, int receive) {
    const Peer socket = plain_socket(family);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
    return {option(socket.get(), SOL_SOCKET, SO_SNDBUF),
            option(socket.get(), SOL_SOCKET, SO_RCVBUF)};
}

void expect_options(int descriptor, int family, const SocketOptions& options) {
    const auto [send, receive] = buffers_given(family, options.send_buffer, options.receive_buffer);
    EXPECT_EQ(option(descriptor, SOL_SOCKET, SO_SNDBUF), send);
    EXPECT_EQ(option(descriptor, SOL_SOCKET, SO_RCVBUF), receive);
    if (family != AF_UNIX) {
        EXPECT_EQ(option(descriptor, IPPROTO_TCP, TCP_NODELAY) != 0, options.no_delay);
    }
}

TEST_P(ConnectTest, ConnectAppliesTheSocketOptions) {
    for (const bool no_delay : {true, false}) {
        const SocketOptions options{no_delay, 30'000, 40'000};
        Loop::Stream stream(loop());
        const Peer peer = connected(stream, options);
        if (is_unix()) {  // a connected Unix client has no name of its own to find it by
            peer.send("x");
            continue;
        }
        const int descriptor = descriptor_of_other_end(peer);
        if (descriptor < 0) GTEST_SKIP() << "the loop keeps its sockets outside the table";
        expect_options(descriptor, loopback(GetParam()).family(), options);
    }
}

TEST_P(ConnectTest, AcceptAppliesTheSocketOptionsOfTheListener) {
    for (const bool no_delay : {true, false}) {
        ListenOptions options;
        options.socket = {no_delay, 30'000, 40'000};
        Loop::Listener listener(loop());
        ASSERT_TRUE(listener.listen(fresh_endpoint(GetParam()), options).ok());
        Peer peer = plain_socket(listener.local_endpoint().family());
        if (is_unix()) {  // named, so that the other end can be found
            const Endpoint name = fresh_endpoint(GetParam());
            checked(::bind(peer.get(), name.address(), name.length), "bind");
        }
        plain_connect(peer, listener.local_endpoint());
        Loop::Stream stream(loop());
        Accept accepting;
        accept(listener, accepting, stream);
        complete(accepting);
        ASSERT_TRUE(accepting.result.ok());
        const int descriptor = descriptor_of_other_end(peer);
        if (descriptor < 0) GTEST_SKIP() << "the loop keeps its sockets outside the table";
        expect_options(descriptor, listener.local_endpoint().family(), options.socket);
    }
}

TEST_P(ConnectTest, AZeroBufferLeavesTheKernelsDefault) {
    if (is_unix()) GTEST_SKIP() << "a connected Unix client has no name to find it by";
    Loop::Stream stream(loop());
    const PlainListener listener(fresh_endpoint(GetParam()));
    Connect connecting;
    connect(stream, connecting, listener.endpoint(), SocketOptions{});
    complete(connecting);
    const Peer peer = listener.accept();
    const int descriptor = descriptor_of_other_end(peer);
    if (descriptor < 0) GTEST_SKIP() << "the loop keeps its sockets outside the table";
    const Peer plain = plain_connect(listener.endpoint());
    EXPECT_EQ(option(descriptor, SOL_SOCKET, SO_SNDBUF),
              option(plain.get(), SOL_SOCKET, SO_SNDBUF));
    EXPECT_EQ(option(descriptor, SOL_SOCKET, SO_RCVBUF),
              option(plain.get(), SOL_SOCKET, SO_RCVBUF));
    EXPECT_NE(option(descriptor, IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST_P(ConnectTest, Contract1_ConnectDoesNotCompleteInside) {
    const PlainListener listener(fresh_endpoint(GetParam()));
    Loop::Stream stream(loop());
    Connect connecting;  // fails when it completes inside
    const Start start = connect(stream, connecting, listener.endpoint());
    EXPECT_EQ(stream.open(), start == Start::done);
    complete(connecting);
    EXPECT_TRUE(connecting.result.ok());
    EXPECT_TRUE(stream.open());
    EXPECT_EQ(connecting.completions, start == Start::done ? 0 : 1);
}

TEST_P(ConnectTest, ARefusedConnectionIsAnErrorAndTheStreamIsGoodAfterAClose) {
    PlainListener listener(fresh_endpoint(GetParam()));
    const Endpoint endpoint = listener.endpoint();
    listener.close();  // a Unix socket's path stays behind
    Loop::Stream stream(loop());
    Connect connecting;
    connect(stream, connecting, endpoint);
    complete(connecting);
    EXPECT_EQ(connecting.result.outcome(), Outcome::error);
    EXPECT_EQ(connecting.result.error(), std::errc::connection_refused)
        << connecting.result.error().message();
    EXPECT_FALSE(stream.open());
    close_and_wait(stream);
    const Peer peer = connected(stream);
    stream.write(bytes_of("x"));
    turns(1);
    EXPECT_EQ(peer.receive(1), "x");
}

TEST_P(ConnectTest, AStreamWhoseConnectFailedMayBeDestroyed) {
    PlainListener listener(fresh_endpoint(GetParam()));
    const Endpoint endpoint = listener.endpoint();
    listener.close();
    for (int i = 0; i < 3; ++i) {
        Loop::Stream stream(loop());
        Connect connecting;
        connect(stream, connecting, endpoint);
        complete(connecting);
        EXPECT_FALSE(connecting.result.ok());
    }
    turns(2);
}

TEST_P(ConnectTest, APathThatDoesNotExistIsAnError) {
    if (!is_unix()) GTEST_SKIP() << "about paths";
    Loop::Stream stream(loop());
    Connect connecting;
    connect(stream, connecting, unix_endpoint(fresh_path()));
    complete(connecting);
    EXPECT_EQ(connecting.result.error(), std::errc::no_such_file_or_directory);
}

TEST_P(ConnectTest, ADescriptorBeyondTheDeclaredLimitIsAnError) {
    const auto limit = Loop::describe().descriptor_limit;
    if (!limit) GTEST_SKIP() << "no limit is declared";
    rlimit before{};
    checked(::getrlimit(RLIMIT_NOFILE, &before), "getrlimit");
    if (before.rlim_max <= *limit + 64) GTEST_SKIP() << "the process has no such descriptors";
    rlimit raised = before;
    raised.rlim_cur = *limit + 64;
    checked(::setrlimit(RLIMIT_NOFILE, &raised), "setrlimit");
    {
        const PlainListener listener(fresh_endpoint(GetParam()));
        std::vector<Peer> fillers;
        do {
            fillers.emplace_back(checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open"));
        } while (static_cast<std::size_t>(fillers.back().get()) + 1 < *limit);
        Loop::Stream stream(loop());
        Connect connecting;
        connect(stream, connecting, listener.endpoint());
        complete(connecting);
        EXPECT_EQ(connecting.result.outcome(), Outcome::error);
        EXPECT_FALSE(stream.open());
        turns(2);
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace loopbench::conformance
