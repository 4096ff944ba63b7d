#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "loops/endpoint.hpp"
#include "loops/fd.hpp"

namespace loopbench {

/// A non-blocking stream socket of a family; empty with errno set when there is none to be had.
inline Fd open_socket(int family) noexcept {
    return Fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

inline int set_option(int socket, int level, int name, int value) noexcept {
    return ::setsockopt(socket, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

/// Applies the options to a connection, or to a listening TCP socket, whose connections inherit
/// them on Linux. Gives 0 or an errno.
inline int apply(const SocketOptions& options, int socket, int family) noexcept {
    int error = 0;
    if (options.no_delay && family != AF_UNIX) {
        error = set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    if (error == 0 && options.send_buffer > 0) {
        error = set_option(socket, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
    }
    if (error == 0 && options.receive_buffer > 0) {
        error = set_option(socket, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
    }
    return error;
}

/// The address that a socket is bound to; empty when it has none.
inline Endpoint local_endpoint_of(int socket) noexcept {
    Endpoint endpoint;
    endpoint.length = sizeof endpoint.storage;
    auto* address = reinterpret_cast<sockaddr*>(&endpoint.storage);
    if (::getsockname(socket, address, &endpoint.length) != 0) return {};
    return endpoint;
}

/// Makes a listening socket; gives 0 or an errno. SO_REUSEADDR is set, as servers do, so that a
/// port in TIME_WAIT can be bound anew.
inline int open_listener(const Endpoint& endpoint, const ListenOptions& options,
                         Fd& result) noexcept {
    Fd socket = open_socket(endpoint.family());
    if (!socket) return errno;
    int error = 0;
    if (!endpoint.is_unix()) {
        error = set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
        if (error == 0) error = apply(options.socket, socket.get(), endpoint.family());
    }
    if (error == 0 && ::bind(socket.get(), endpoint.address(), endpoint.length) != 0) error = errno;
    if (error == 0 && ::listen(socket.get(), options.backlog) != 0) error = errno;
    if (error == 0) result = std::move(socket);
    return error;
}

}  // namespace loopbench
