#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace loopbench {

/// Makes `text` the content of the file at `path`, whole or not at all: it is written beside,
/// synced and renamed over it, so that a reader or a crash meets the old content or the new. A link
/// is followed and stays a link (unless it leads nowhere); what is no regular file (a pipe,
/// /dev/stdout) is written to directly. Throws `std::system_error`, naming the file, and leaves
/// nothing beside.
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// Why `write_atomically` would fail at `path`, with the remedy; nothing when it would not. Found
/// out by making and removing a file beside it; what is at `path` is not touched.
std::optional<std::string> check_writable(const std::filesystem::path& path);

}  // namespace loopbench
