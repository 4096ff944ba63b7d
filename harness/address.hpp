#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace loopbench {

/// A socket address as the kernel takes it, for `bind` and `connect`.
struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    int family() const noexcept { return storage.ss_family; }
};

/// Reads an ADDRESS of the command line and the control protocol: `127.0.0.1:PORT`, `[::1]:PORT`
/// or `unix:/path`. Port 0 lets the kernel choose. Numbers only: no name is looked up.
/// Throws `std::invalid_argument` whose text names the address and what would do.
Address parse_address(std::string_view text);

/// The same form back from what `getsockname` or `accept` gave. Throws `std::invalid_argument` for
/// a family other than AF_INET, AF_INET6 and AF_UNIX, and for a Unix socket without a path.
std::string format_address(const sockaddr* address, socklen_t length);
inline std::string format_address(const Address& address) {
    return format_address(address.data(), address.length);
}

/// Makes way for a listener: removes the path of a Unix socket on which nobody listens any more (a
/// killed server leaves it behind). Does nothing for TCP and where no file is. Throws
/// `std::system_error` with EADDRINUSE when somebody does listen, and with ENOTSOCK when the
/// path is something else than a socket, which is left alone.
void remove_stale_socket(const Address& address);

}  // namespace loopbench
