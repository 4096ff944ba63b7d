#include "harness/free_address.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "harness/address.hpp"
#include "harness/errors.hpp"
#include "harness/fd.hpp"

namespace loopbench {

void check_address_free(std::string_view flag, const std::string& address) {
    const Address wanted = parse_address(address);
    int error = 0;
    try {
        remove_stale_socket(wanted);
        const OwnedFd probe(socket(wanted.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const bool bound = bind(probe.get(), wanted.data(), wanted.length) == 0;
        if (!bound || listen(probe.get(), 1) != 0) error = errno;
        constexpr std::string_view unix_prefix = "unix:";
        if (bound && address.starts_with(unix_prefix)) {
            unlink(address.c_str() + unix_prefix.size());
        }
    } catch (const std::system_error& failed) {
        error = failed.code().value();
    }
    if (error == 0) return;
    throw UsageError(fmt::format("{}={}: {}; give another address", flag, address,
                                 error == EADDRINUSE ? "another program listens there"
                                                     : std::generic_category().message(error)));
}

}  // namespace loopbench
