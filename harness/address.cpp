#include "harness/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace loopbench {
namespace {

constexpr std::string_view unix_prefix = "unix:";

[[noreturn]] void reject(std::string_view text, std::string_view why) {
    throw std::invalid_argument(fmt::format(
        "address '{}': {}; 127.0.0.1:PORT, [::1]:PORT or unix:/path would do", text, why));
}

std::uint16_t parse_port(std::string_view text, std::string_view digits) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        port > 65535) {
        reject(text, fmt::format("'{}' is no port from 0 to 65535", digits));
    }
    return htons(static_cast<std::uint16_t>(port));
}

Address parse_unix(std::string_view text) {
    const std::string_view path = text.substr(unix_prefix.size());
    sockaddr_un unix_address{};
    unix_address.sun_family = AF_UNIX;
    if (path.empty()) reject(text, "the path is empty");
    if (path.find('\0') != std::string_view::npos) reject(text, "the path contains a zero byte");
    if (path.size() >= sizeof unix_address.sun_path) {
        reject(text, fmt::format("the path has {} bytes and a Unix socket's at most {}",
                                 path.size(), sizeof unix_address.sun_path - 1));
    }
    std::memcpy(unix_address.sun_path, path.data(), path.size());
    Address address;
    address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    std::memcpy(&address.storage, &unix_address, sizeof unix_address);
    return address;
}

Address parse_ipv6(std::string_view text) {
    const std::size_t close = text.find("]:");
    if (close == std::string_view::npos)
        reject(text, "after '[' an address and ']:PORT' is wanted");
    const std::string host(text.substr(1, close - 1));
    sockaddr_in6 ip{};
    ip.sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, host.c_str(), &ip.sin6_addr) != 1) {
        reject(text, fmt::format("'{}' is no IPv6 address", host));
    }
    ip.sin6_port = parse_port(text, text.substr(close + 2));
    Address address;
    address.length = sizeof ip;
    std::memcpy(&address.storage, &ip, sizeof ip);
    return address;
}

Address parse_ipv4(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) reject(text, "a port is missing");
    const std::string host(text.substr(0, colon));
    sockaddr_in ip{};
    ip.sin_family = AF_INET;
    if (inet_pton(AF_INET, host.c_str(), &ip.sin_addr) != 1) {
        reject(text, fmt::format("'{}' is no IPv4 address", host));
    }
    ip.sin_port = parse_port(text, text.substr(colon + 1));
    Address address;
    address.length = sizeof ip;
    std::memcpy(&address.storage, &ip, sizeof ip);
    return address;
}

/// A descriptor for one attempt to connect.
class ProbeSocket {
  public:
    ProbeSocket() : descriptor_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        if (descriptor_ < 0) throw std::system_error(errno, std::system_category(), "socket");
    }
    ProbeSocket(const ProbeSocket&) = delete;
    ProbeSocket& operator=(const ProbeSocket&) = delete;
    ~ProbeSocket() { close(descriptor_); }

    /// 0, or the errno of `connect`.
    int connect_to(const Address& address) const noexcept {
        return connect(descriptor_, address.data(), address.length) == 0 ? 0 : errno;
    }

  private:
    int descriptor_;
};

}  // namespace

Address parse_address(std::string_view text) {
    if (text.starts_with(unix_prefix)) return parse_unix(text);
    if (text.starts_with('[')) return parse_ipv6(text);
    return parse_ipv4(text);
}

std::string format_address(const sockaddr* address, socklen_t length) {
    char host[INET6_ADDRSTRLEN];
    if (address->sa_family == AF_INET) {
        sockaddr_in ip;
        std::memcpy(&ip, address, sizeof ip);
        inet_ntop(AF_INET, &ip.sin_addr, host, sizeof host);
        return fmt::format("{}:{}", host, ntohs(ip.sin_port));
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 ip;
        std::memcpy(&ip, address, sizeof ip);
        inet_ntop(AF_INET6, &ip.sin6_addr, host, sizeof host);
        return fmt::format("[{}]:{}", host, ntohs(ip.sin6_port));
    }
    constexpr std::size_t path_at = offsetof(sockaddr_un, sun_path);
    if (address->sa_family != AF_UNIX || length <= path_at) {
        throw std::invalid_argument("only IPv4, IPv6 and Unix sockets with a path have an address");
    }
    // The path may fill the array to its last byte, without a zero behind it.
    const char* path = reinterpret_cast<const char*>(address) + path_at;
    return fmt::format("{}{}", unix_prefix,
                       std::string_view(path, strnlen(path, length - path_at)));
}

void remove_stale_socket(const Address& address) {
    if (address.family() != AF_UNIX) return;
    const char* path =
        reinterpret_cast<const char*>(&address.storage) + offsetof(sockaddr_un, sun_path);
    struct stat status;
    if (lstat(path, &status) != 0) return;  // nothing there, or bind will say what is wrong
    if (!S_ISSOCK(status.st_mode)) {
        throw std::system_error(ENOTSOCK, std::system_category(), path);
    }
    // Only a refusal proves that nobody listens; EAGAIN, for one, is a listener with a full
    // backlog.
    if (ProbeSocket().connect_to(address) != ECONNREFUSED) {
        throw std::system_error(EADDRINUSE, std::system_category(), path);
    }
    unlink(path);
}

}  // namespace loopbench
