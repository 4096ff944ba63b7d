#pragma once

#include <cstdint>

namespace loopbench {

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): a few
/// instructions a draw, so that drawing does not show in what is measured, and the same sequence on
/// every machine.
class FastRandom {
  public:
    explicit FastRandom(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t operator()() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// Below `bound`, which is from 1 to 2^32; by multiplication, since a division would cost more
    /// than a timer. The bias is below bound / 2^32.
    std::uint64_t below(std::uint64_t bound) noexcept { return ((*this)() >> 32) * bound >> 32; }

  private:
    std::uint64_t state_;
};

}  // namespace loopbench
