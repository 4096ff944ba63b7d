#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/random.hpp"

namespace loopbench::driver {

/// When the messages of an open-loop slice are to be sent: arrivals of a Poisson process, drawn
/// before the slice begins, one slice after the other from one seed.
///
/// A slice offers an exact number of messages, in just the time in which the rate offers as many:
/// given its count, a Poisson process is a row of exponential gaps scaled to fill the time
/// (Devroye, "Non-Uniform Random Variate Generation", 1986, V.3). So every slice is offered the
/// stated rate and not one that is by chance some percent beside it.
class Schedule {
  public:
    explicit Schedule(std::uint64_t seed) noexcept : random_(seed) {}

    /// Draws `messages` times at `rate` messages a second, both at least 1.
    void draw(std::size_t messages, std::uint64_t rate);

    /// From the beginning of the slice, ascending and below `length`.
    std::span<const std::chrono::nanoseconds> times() const noexcept { return times_; }
    std::chrono::nanoseconds length() const noexcept { return length_; }

  private:
    double exponential() noexcept;

    Random random_;
    std::vector<std::chrono::nanoseconds> times_;
    std::vector<double> arrivals_;  // kept for its memory
    std::chrono::nanoseconds length_{0};
};

}  // namespace loopbench::driver
