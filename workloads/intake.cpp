#include "workloads/intake.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace loopbench {

Intake::Intake(const SocketParameters& parameters, SelfCheck& check)
    : pattern_(parameters.read_buffer),
      check_(check),
      size_(parameters.size),
      by_bytes_(parameters.stream != 0),
      round_(by_bytes_ ? parameters.active * parameters.stream : parameters.active),
      seen_(parameters.connections) {}

WorkloadCounters Intake::counters() const {
    return {
        .operations = messages_, .reads = reads_, .bytes = bytes_, .steady_connections = steady_};
}

bool Sender::receive_hello(std::span<const std::byte>& data) noexcept {
    const std::size_t taken = std::min(data.size(), hello_.size() - hello_bytes_);
    std::copy_n(data.begin(), taken, hello_.begin() + static_cast<std::ptrdiff_t>(hello_bytes_));
    hello_bytes_ += taken;
    data = data.subspan(taken);
    if (hello_bytes_ < hello_.size()) return true;

    for (std::size_t i = 0; i < hello_.size(); ++i) {
        number_ |= std::to_integer<std::uint32_t>(hello_[i]) << (8 * i);
    }
    position_ = Pattern::phase(number_);
    if (number_ >= intake_.seen_.size()) {
        intake_.check_.fail(
            fmt::format("a connection says that its number is {}, of {} connections", number_,
                        intake_.seen_.size()));
        return false;
    }
    if (intake_.seen_[number_]) {
        intake_.check_.fail(fmt::format("two connections say that their number is {}", number_));
        return false;
    }
    intake_.seen_[number_] = true;
    return true;
}

bool Sender::wrong_bytes() noexcept {
    intake_.check_.fail(fmt::format(
        "connection {} received bytes that are not its pattern, within the {} bytes or fewer after "
        "byte {} of all",
        number_, intake_.pattern_.longest(), intake_.bytes_));
    return false;
}

void Sender::end() noexcept {
    if (hello_bytes_ < hello_.size()) {
        intake_.check_.fail("a connection ended before it had said its number");
    } else if (partial_ != 0) {
        intake_.check_.fail(fmt::format("connection {} ended after {} of the {} bytes of a message",
                                        number_, partial_, intake_.size_));
    } else {
        // The number may be used by whoever comes next.
        intake_.seen_[number_] = false;
    }
}

}  // namespace loopbench
