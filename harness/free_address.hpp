#pragma once

#include <string>
#include <string_view>

namespace loopbench {

/// Makes sure that a server could listen on `address` (in the form of harness/address.hpp) now, by
/// doing it. The path of a Unix socket on which nobody listens any more is removed. Throws
/// UsageError, which names `flag`, when the address is in use or cannot be had.
void check_address_free(std::string_view flag, const std::string& address);

}  // namespace loopbench
