#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

namespace loopbench {

/// A socket address as the kernel takes it: TCP over IPv4 or IPv6, or a Unix socket path.
struct Endpoint {
    sockaddr_storage storage{};
    socklen_t length = 0;

    Endpoint() noexcept = default;
    Endpoint(const sockaddr* address, socklen_t size) noexcept : length(size) {
        std::memcpy(&storage, address, size);
    }

    const sockaddr* address() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    int family() const noexcept { return storage.ss_family; }
    bool is_unix() const noexcept { return family() == AF_UNIX; }
    /// The path of a Unix socket; must not be asked of another family.
    const char* unix_path() const noexcept {
        return reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
    }
};

/// Socket options that are parameters of a case, so that every loop applies the same.
struct SocketOptions {
    bool no_delay = true;    ///< TCP_NODELAY; nothing on Unix sockets
    int send_buffer = 0;     ///< SO_SNDBUF in bytes as handed to the kernel; 0 leaves its default
    int receive_buffer = 0;  ///< SO_RCVBUF likewise
};

struct ListenOptions {
    int backlog = 4096;    ///< as handed to listen(2); the kernel caps it at net.core.somaxconn
    SocketOptions socket;  ///< for every accepted connection
};

}  // namespace loopbench
