#pragma once

// The foreign end of a connection: plain sockets and nothing of a loop, so that a loop is never
// tested against itself alone.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "loops/endpoint.hpp"

namespace loopbench::conformance {

/// What a connection runs over.
enum class Transport { unix_socket, tcp4, tcp6 };

/// Throws unless a system call succeeded: the tests' own calls are not what is tested.
inline int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::system_category(), what);
    return result;
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

/// `size` bytes that depend on their position and on `seed`: order and loss both show.
inline std::string pattern(std::size_t size, std::uint64_t seed = 1) {
    constexpr std::size_t period = 65'521;  // a prime, which is no multiple of any buffer's size
    const std::size_t drawn = std::min(size, period);
    std::mt19937_64 random(seed);
    std::string text(size, '\0');
    for (std::size_t i = 0; i < drawn; i += sizeof(std::uint64_t)) {
        const std::uint64_t word = random();
        std::memcpy(text.data() + i, &word, std::min(sizeof word, drawn - i));
    }
    for (std::size_t done = drawn; done < size; done += std::min(done, size - done)) {
        std::memcpy(text.data() + done, text.data(), std::min(done, size - done));
    }
    return text;
}

/// A descriptor that is closed with its owner: a blocking stream socket, or an end of a pipe.
class Peer {
  public:
    Peer() = default;
    explicit Peer(int descriptor) : descriptor_(descriptor) {}
    Peer(Peer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Peer& operator=(Peer&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~Peer() { close(); }

    int get() const { return descriptor_; }
    void close() {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }

    /// Sends everything, and waits for room where there is none.
    void send(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
            text.remove_prefix(checked(static_cast<int>(sent), "send"));
        }
    }
    /// Sends what the kernel takes at once; returns how much that was.
    std::size_t send_now(std::string_view text) const {
        const ssize_t sent =
            ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) return 0;
        return checked(static_cast<int>(sent), "send");
    }

    /// Waits for `size` bytes; fewer only at the end of the stream.
    std::string receive(std::size_t size) const {
        std::string text(size, '\0');
        std::size_t had = 0;
        while (had < size) {
            const ssize_t got = ::recv(descriptor_, text.data() + had, size - had, 0);
            if (checked(static_cast<int>(got), "recv") == 0) break;
            had += static_cast<std::size_t>(got);
        }
        text.resize(had);
        return text;
    }
    /// Takes up to `size` bytes of what is there, without waiting, and appends them.
    std::size_t take(std::string& text, std::size_t size) const {
        const std::size_t had = text.size();
        text.resize(had + size);
        const ssize_t got = ::recv(descriptor_, text.data() + had, size, MSG_DONTWAIT);
        text.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
        return text.size() - had;
    }
    /// Waits for the end of the stream or a reset, dropping what comes before; 0 or the errno.
    int drain() const {
        char buffer[4096];
        for (;;) {
            const ssize_t got = ::recv(descriptor_, buffer, sizeof buffer, 0);
            if (got == 0) return 0;
            if (got < 0) return errno;
        }
    }
    void shutdown_write() const { checked(::shutdown(descriptor_, SHUT_WR), "shutdown"); }

    /// Breaks the connection. TCP: a RST instead of a FIN. Unix sockets have none: there the kernel
    /// says ECONNRESET to the other end when bytes for this one were still unread, so the caller
    /// sees to it that some are.
    void reset() {
        const linger now{1, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

  private:
    int descriptor_ = -1;
};

/// Two ends of a pipe: `read` and `write`, both non-blocking.
struct Pipe {
    Pipe() {
        int ends[2];
        checked(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), "pipe2");
        read = Peer(ends[0]);
        write = Peer(ends[1]);
    }
    void put(char c = 'x') const {
        checked(static_cast<int>(::write(write.get(), &c, 1)), "write");
    }
    void empty() const {
        char buffer[256];
        while (::read(read.get(), buffer, sizeof buffer) > 0) {
        }
    }

    Peer read, write;
};

inline Endpoint unix_endpoint(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::length_error("socket path too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return Endpoint(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// The loopback address of a family of IP; port 0 lets the kernel choose.
inline Endpoint loopback(Transport transport, std::uint16_t port = 0) {
    if (transport == Transport::tcp6) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_addr = in6addr_loopback;
        address.sin6_port = htons(port);
        return Endpoint(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return Endpoint(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

inline std::uint16_t port_of(const Endpoint& endpoint) {
    return endpoint.family() == AF_INET6
               ? ntohs(reinterpret_cast<const sockaddr_in6*>(&endpoint.storage)->sin6_port)
               : ntohs(reinterpret_cast<const sockaddr_in*>(&endpoint.storage)->sin_port);
}

inline Peer plain_socket(int family) {
    return Peer(checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

/// Whether this machine has the transport: containers often lack IPv6.
inline bool transport_works(Transport transport) {
    if (transport == Transport::unix_socket) return true;
    const Endpoint endpoint = loopback(transport);
    const Peer socket(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return socket.get() >= 0 && ::bind(socket.get(), endpoint.address(), endpoint.length) == 0;
}

/// A plain listening socket.
class PlainListener {
  public:
    explicit PlainListener(const Endpoint& endpoint, int backlog = 128)
        : socket_(plain_socket(endpoint.family())) {
        checked(::bind(socket_.get(), endpoint.address(), endpoint.length), "bind");
        checked(::listen(socket_.get(), backlog), "listen");
        endpoint_.length = sizeof endpoint_.storage;
        checked(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&endpoint_.storage),
                              &endpoint_.length),
                "getsockname");
    }

    const Endpoint& endpoint() const { return endpoint_; }
    /// Waits for a connection.
    Peer accept() const {
        return Peer(checked(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    }
    void close() { socket_.close(); }

  private:
    Peer socket_;
    Endpoint endpoint_;
};

/// Connects `socket` and waits for it; a listener's backlog is enough to connect to.
inline void plain_connect(const Peer& socket, const Endpoint& endpoint) {
    checked(::connect(socket.get(), endpoint.address(), endpoint.length), "connect");
}

inline Peer plain_connect(const Endpoint& endpoint) {
    Peer socket = plain_socket(endpoint.family());
    plain_connect(socket, endpoint);
    return socket;
}

}  // namespace loopbench::conformance
