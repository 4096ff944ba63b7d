#include "harness/driver/echo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/driver/errors.hpp"

namespace loopbench::driver {
namespace {

constexpr const char* wrong_answer = "the server is at fault: what it sends back is not an echo";

[[noreturn]] void report_difference(const Connection& connection, const std::byte* expected,
                                    std::span<const std::byte> bytes) {
    const auto [received, wanted] = std::mismatch(bytes.begin(), bytes.end(), expected);
    const auto offset = connection.received + static_cast<std::uint64_t>(received - bytes.begin());
    throw DriverError(fmt::format("connection {}: byte {} of the echo is 0x{:02x} and should be "
                                  "0x{:02x}",
                                  connection.number, offset, std::to_integer<unsigned>(*received),
                                  std::to_integer<unsigned>(*wanted)),
                      wrong_answer);
}

}  // namespace

void take_echo(const Pattern& pattern, Connection& connection, std::span<const std::byte> bytes) {
    const std::byte* expected = pattern.at(connection.number, connection.received);
    if (std::memcmp(bytes.data(), expected, bytes.size()) != 0) {
        report_difference(connection, expected, bytes);
    }
    connection.received += bytes.size();
    if (connection.received > connection.sent) {
        throw DriverError(fmt::format("connection {}: the server sent {} bytes back and had been "
                                      "sent {}",
                                      connection.number, connection.received, connection.sent),
                          wrong_answer);
    }
}

void report_silence(const ConnectionSet& connections, std::chrono::nanoseconds patience) {
    const auto active = connections.active();
    const auto unanswered = std::count_if(
        active.begin(), active.end(),
        [](const Connection* connection) { return connection->received < connection->goal; });
    throw DriverError(
        fmt::format("no answer for {:g} s on {} of {} active connections",
                    std::chrono::duration<double>(patience).count(), unanswered, active.size()),
        "the server is stuck, stopped, or waits for something else: attach a "
        "debugger, or try --placement lockstep with one connection");
}

}  // namespace loopbench::driver
