#pragma once

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <system_error>

#include "harness/micro/tasking.hpp"
#include "loops/endpoint.hpp"
#include "loops/fd.hpp"

namespace loopbench::micro {

[[noreturn]] inline void fail(const char* what) {
    throw std::system_error(errno, std::system_category(), what);
}

/// A path for a Unix socket, in a directory of its own that goes with this object.
class SocketPath {
  public:
    SocketPath() {
        std::string name = (std::filesystem::temp_directory_path() / "loopbench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) fail("mkdtemp");
        directory_ = name;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = directory_ / "socket";
        if (path.size() >= sizeof address.sun_path) {
            errno = ENAMETOOLONG;
            fail("a Unix socket below TMPDIR");
        }
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        endpoint_ = Endpoint(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    ~SocketPath() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    SocketPath(const SocketPath&) = delete;
    SocketPath& operator=(const SocketPath&) = delete;

    const Endpoint& endpoint() const noexcept { return endpoint_; }

  private:
    std::filesystem::path directory_;
    Endpoint endpoint_;
};

/// Streams of a loop over Unix sockets whose other ends are plain blocking descriptors.
template <class Loop>
class Connections {
  public:
    Connections(Loop& loop, std::size_t count) {
        const SocketPath path;
        const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!listener) fail("socket");
        if (::bind(listener.get(), path.endpoint().address(), path.endpoint().length) != 0) {
            fail("bind");
        }
        if (::listen(listener.get(), 1) != 0) fail("listen");
        for (std::size_t i = 0; i < count; ++i) {
            streams_.emplace_back(loop);
            run_to_end(loop, connect_to(streams_.back(), path.endpoint()));
            peers_.emplace_back(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!peers_.back()) fail("accept4");
            // A byte that does not come is an error soon, and nobody waits for ever.
            const timeval patience{.tv_sec = 10, .tv_usec = 0};
            ::setsockopt(peers_.back().get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        }
    }

    std::deque<typename Loop::Stream>& streams() noexcept { return streams_; }

    /// One byte to every stream.
    void send_bytes() const {
        for (const Fd& peer : peers_) {
            if (::send(peer.get(), "x", 1, MSG_NOSIGNAL) != 1) fail("sending to the loop");
        }
    }
    /// One byte from every stream.
    void receive_bytes() const {
        char byte = 0;
        for (const Fd& peer : peers_) {
            if (::recv(peer.get(), &byte, 1, 0) != 1) fail("receiving from the loop");
        }
    }

  private:
    static Task<void> connect_to(typename Loop::Stream& stream, const Endpoint& endpoint) {
        Result<> connected = co_await connect(stream, endpoint);
        connected.value();
    }

    std::deque<typename Loop::Stream> streams_;  // deques: they stay where they are
    std::deque<Fd> peers_;
};

}  // namespace loopbench::micro
