#include "harness/sut/control_channel.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace loopbench {

void ControlChannel::fill() {
    received_.erase(0, taken_);
    searched_ -= std::min(searched_, taken_);
    taken_ = 0;
    if (received_.size() > longest_line) {
        throw MalformedMessage("a line is longer than 16 MiB");
    }
    constexpr std::size_t piece = 64 * 1024;
    const std::size_t had = received_.size();
    received_.resize(had + piece);
    ssize_t got;
    do {
        got = read(input_, received_.data() + had, piece);
    } while (got < 0 && errno == EINTR);
    const int error = errno;
    received_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) at_end_ = true;
    if (got < 0 && error != EAGAIN) {
        throw std::system_error(error, std::system_category(), "reading standard input");
    }
}

std::optional<std::string_view> ControlChannel::next() {
    const std::string_view all = received_;
    const std::size_t end = all.find('\n', std::max(taken_, searched_));
    if (end == std::string_view::npos) {
        searched_ = all.size();
        if (!at_end_ || taken_ == all.size()) return std::nullopt;
        return all.substr(std::exchange(taken_, all.size()));
    }
    const std::size_t begin = std::exchange(taken_, end + 1);
    return all.substr(begin, end - begin);
}

void ControlChannel::send(std::string line) {
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t written = write(output_, rest.data(), rest.size());
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            // Input and output may be one open file, which the loop has made non-blocking.
            pollfd descriptor{output_, POLLOUT, 0};
            poll(&descriptor, 1, -1);
        } else if (errno == EPIPE) {
            return;
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::system_category(), "writing standard output");
        }
    }
}

}  // namespace loopbench
