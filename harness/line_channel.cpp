#include "harness/line_channel.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace loopbench {

LineReader::Fed LineReader::feed() {
    std::array<char, 64 * 1024> piece;
    ssize_t count;
    do {
        count = read(descriptor_, piece.data(), piece.size());
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        buffer_.append(piece.data(), static_cast<std::size_t>(count));
        return Fed::data;
    }
    if (count == 0 || errno == ECONNRESET) return Fed::end;
    if (errno == EAGAIN) return Fed::would_block;
    throw std::system_error(errno, std::system_category(), "reading a control message");
}

std::optional<std::string> LineReader::next_line() {
    const std::size_t end = buffer_.find('\n', searched_);
    const std::size_t line_end = end == std::string::npos ? buffer_.size() : end;
    if (line_end - line_start_ > longest_line_) {
        throw std::length_error("a control message is longer than " +
                                std::to_string(longest_line_) + " bytes");
    }
    if (end != std::string::npos) {
        std::string line = buffer_.substr(line_start_, end - line_start_);
        line_start_ = searched_ = end + 1;
        return line;
    }
    // Once per piece read at the most, so that a long line is not moved again and again.
    buffer_.erase(0, line_start_);
    line_start_ = 0;
    searched_ = buffer_.size();
    return std::nullopt;
}

std::optional<std::string> LineReader::read_line() {
    for (;;) {
        if (auto line = next_line()) return line;
        switch (feed()) {
            case Fed::data:
                break;
            case Fed::end:
                return std::nullopt;
            case Fed::would_block: {
                pollfd wanted{descriptor_, POLLIN, 0};
                poll(&wanted, 1, -1);
            }
        }
    }
}

bool write_line(int descriptor, std::string_view line) {
    assert(line.find('\n') == std::string_view::npos);
    std::string message;
    message.reserve(line.size() + 1);
    message.append(line).push_back('\n');
    std::string_view rest = message;
    while (!rest.empty()) {
        const ssize_t count = write(descriptor, rest.data(), rest.size());
        if (count >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            pollfd wanted{descriptor, POLLOUT, 0};
            poll(&wanted, 1, -1);
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return false;
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::system_category(), "writing a control message");
        }
    }
    return true;
}

}  // namespace loopbench
