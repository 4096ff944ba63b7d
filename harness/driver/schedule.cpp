#include "harness/driver/schedule.hpp"

#include <cmath>

namespace loopbench::driver {

void Schedule::draw(std::size_t messages, std::uint64_t rate) {
    const double length_ns = static_cast<double>(messages) * 1e9 / static_cast<double>(rate);
    length_ = std::chrono::nanoseconds(static_cast<std::int64_t>(length_ns));
    arrivals_.clear();
    double reached = 0;
    for (std::size_t i = 0; i < messages; ++i) arrivals_.push_back(reached += exponential());
    const double scale = length_ns / (reached + exponential());
    times_.clear();
    for (const double arrival : arrivals_) {
        times_.emplace_back(static_cast<std::int64_t>(arrival * scale));
    }
}

/// A number of the exponential distribution with mean 1.
double Schedule::exponential() noexcept {
    const double uniform = static_cast<double>(random_.next() >> 11) * 0x1p-53;  // in [0, 1)
    return -std::log1p(-uniform);
}

}  // namespace loopbench::driver
