"""Addresses (127.0.0.1:PORT, [::1]:PORT, unix:/path) and the sockets that listen there."""

import errno
import os
import socket
import stat

from .errors import WorkloadError

UNIX_PREFIX = "unix:"
LONGEST_PATH = 107

REMEDIES = {
    errno.EADDRINUSE: "end the server that listens there, or take another address (port 0: any)",
    errno.EACCES: "take a port from 1024 on, or a directory that may be written to",
    errno.EADDRNOTAVAIL: "take an address of this machine, such as 127.0.0.1 or [::1]",
    errno.ENOTSOCK: "take a path where there is no file yet",
    errno.ENOENT: "create the directory first",
}


def reject(text, why):
    raise WorkloadError(
        f"address '{text}': {why}; 127.0.0.1:PORT, [::1]:PORT or unix:/path would do",
        "an address of one of these forms")


def parse_port(text, digits):
    if not (digits.isascii() and digits.isdigit() and int(digits) <= 65535):
        reject(text, f"'{digits}' is no port from 0 to 65535")
    return int(digits)


def parse_host(text, family, host, kind):
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        reject(text, f"'{host}' is no {kind} address")
    return host


def parse_address(text):
    """The family, and the address as Python's sockets take it."""
    if text.startswith(UNIX_PREFIX):
        path = text[len(UNIX_PREFIX):]
        if not path or "\0" in path or len(os.fsencode(path)) > LONGEST_PATH:
            reject(text, f"the path must have 1 to {LONGEST_PATH} bytes, none of them zero")
        return socket.AF_UNIX, path
    if text.startswith("["):
        host, between, port = text[1:].partition("]:")
        if not between:
            reject(text, "after '[' an address and ']:PORT' is wanted")
        return socket.AF_INET6, (parse_host(text, socket.AF_INET6, host, "IPv6"),
                                 parse_port(text, port))
    host, between, port = text.partition(":")
    if not between:
        reject(text, "a port is missing")
    return socket.AF_INET, (parse_host(text, socket.AF_INET, host, "IPv4"), parse_port(text, port))


def format_address(listener):
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return UNIX_PREFIX + name
    return (f"[{name[0]}]:{name[1]}" if listener.family == socket.AF_INET6
            else f"{name[0]}:{name[1]}")


def remove_stale_socket(path):
    """Moves a dead server's socket out of the way."""
    try:
        status = os.lstat(path)
    except OSError:
        return  # nothing there, or bind will say what is wrong
    if not stat.S_ISSOCK(status.st_mode):
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        # Only a refusal proves that nobody listens: a listener with a full backlog says EAGAIN.
        if probe.connect_ex(path) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    os.unlink(path)


def apply_options(parameters, connection):
    """To a connection, or to a listening TCP socket, whose connections inherit them on Linux."""
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(parameters.no_delay))
    if parameters.send_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, parameters.send_buffer)
    if parameters.receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, parameters.receive_buffer)


def open_listener(text, parameters):
    family, address = parse_address(text)
    listener = None
    try:
        if family == socket.AF_UNIX:
            remove_stale_socket(address)
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setblocking(False)
        if family != socket.AF_UNIX:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            apply_options(parameters, listener)
        listener.bind(address)
        listener.listen(parameters.backlog)
    except OSError as error:
        if listener is not None:
            listener.close()
        what = os.strerror(error.errno) if error.errno else str(error)
        raise WorkloadError(f"cannot listen on {text}: {what}",
                            REMEDIES.get(error.errno, "check the address")) from None
    return listener
