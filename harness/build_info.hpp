#pragma once

#include <string>
#include <vector>

namespace loopbench {

// What this harness was built from and with.

std::string build_version();  ///< "0.1.0"
std::string
build_commit();  ///< of the sources when the build was configured; "unknown" without git
std::string build_compiler();  ///< "GCC 12.2.0"
std::string build_flags();     ///< "-O2 -g -DNDEBUG"

/// A loop or reference that was not built, since a library was missing.
struct LeftOut {
    std::string name;
    std::string package;  ///< of Debian, which has the library
};
std::vector<LeftOut> left_out();

}  // namespace loopbench
