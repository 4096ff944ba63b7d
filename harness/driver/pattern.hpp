#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace loopbench::driver {

/// The bytes that every connection sends and expects: docs/protocol.md, "What the workloads say on
/// the wire". One table, a period longer than the longest piece, has every piece of the stream in
/// one stretch, so that sending and checking are one call each.
class Pattern {
  public:
    static constexpr std::size_t period = 251;

    /// `longest_piece`: how many bytes from `at` on may be used.
    explicit Pattern(std::size_t longest_piece) : bytes_(longest_piece + period) {
        for (std::size_t k = 0; k < bytes_.size(); ++k) {
            bytes_[k] = static_cast<std::byte>((k % period * 167 + 13) % period);
        }
    }

    /// What connection number `number` sends from byte `offset` of its stream on.
    const std::byte* at(std::uint32_t number, std::uint64_t offset) const noexcept {
        return bytes_.data() + (number + offset) % period;
    }

  private:
    std::vector<std::byte> bytes_;
};

}  // namespace loopbench::driver
