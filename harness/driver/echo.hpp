#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "harness/driver/connection_set.hpp"

namespace loopbench::driver {

/// Checks bytes that came back against what the connection sent, and counts them in. Throws
/// DriverError, which says where they differ.
void take_echo(const Pattern& pattern, Connection& connection, std::span<const std::byte> bytes);

/// Throws the DriverError of a server that has said nothing for `patience`.
[[noreturn]] void report_silence(const ConnectionSet& connections,
                                 std::chrono::nanoseconds patience);

}  // namespace loopbench::driver
