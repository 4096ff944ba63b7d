#include "harness/scratch_directory.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace loopbench {

ScratchDirectory::ScratchDirectory() {
    const char* chosen = std::getenv("TMPDIR");
    std::string pattern = chosen == nullptr ? "/tmp" : chosen;
    // A Unix socket's path holds 107 bytes: a deep TMPDIR would leave no room for the name.
    constexpr std::size_t longest = 80;
    if (pattern.size() > longest) pattern = "/tmp";
    pattern += "/loopbench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "making " + pattern);
    }
    path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace loopbench
