#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace loopbench {

/// A seeded random source that gives the same numbers on every machine (the standard library's
/// distributions do not): SplitMix64 by Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014.
class Random {
  public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    /// A number from 0 to `bound` - 1, each equally likely. `bound` is at least 1.
    std::uint64_t below(std::uint64_t bound) noexcept {
        const std::uint64_t fair = UINT64_MAX - UINT64_MAX % bound;
        std::uint64_t number = next();
        while (number >= fair) number = next();
        return number % bound;
    }

    /// The numbers 0 … `count` - 1 in random order (Fisher and Yates).
    std::vector<std::size_t> permutation(std::size_t count) {
        std::vector<std::size_t> order(count);
        for (std::size_t i = 0; i < count; ++i) order[i] = i;
        for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[below(i)]);
        return order;
    }

  private:
    std::uint64_t state_;
};

}  // namespace loopbench
