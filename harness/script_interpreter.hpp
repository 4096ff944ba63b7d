#pragma once

#include <string>
#include <system_error>

namespace loopbench {

/// Why `program` could not be started, as one says it. execve(2) gives ENOENT as well for a script
/// that is there, when the interpreter in its first line is not: that is told apart here.
std::string why_not_started(const std::string& program, std::error_code error);

}  // namespace loopbench
