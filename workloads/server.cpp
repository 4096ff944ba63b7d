#include "workloads/server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

namespace loopbench {

Endpoint listening_endpoint(const std::string& address) {
    try {
        const Address parsed = parse_address(address);
        remove_stale_socket(parsed);
        return Endpoint(parsed.data(), parsed.length);
    } catch (const std::invalid_argument& error) {
        throw WorkloadError(error.what(), "an address of one of these forms");
    } catch (const std::system_error& error) {
        throw listen_error(address, error.code());
    }
}

WorkloadError listen_error(const std::string& address, std::error_code error) {
    std::string remedy = "check the address";
    if (error == std::errc::address_in_use) {
        remedy = "end the server that listens there, or take another address (port 0: any)";
    } else if (error == std::errc::permission_denied) {
        remedy = "take a port from 1024 on, or a directory that may be written to";
    } else if (error == std::errc::address_not_available) {
        remedy = "take an address of this machine, such as 127.0.0.1 or [::1]";
    } else if (error == std::errc::not_a_socket) {
        remedy = "take a path where there is no file yet";
    } else if (error == std::errc::no_such_file_or_directory) {
        remedy = "create the directory first";
    }
    return WorkloadError(fmt::format("cannot listen on {}: {}", address, error.message()), remedy);
}

void remove_socket_path(const Endpoint& endpoint) noexcept {
    if (endpoint.is_unix()) unlink(endpoint.unix_path());
}

}  // namespace loopbench
