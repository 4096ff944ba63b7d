#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace loopbench {

/// The bytes that connections carry (docs/protocol.md): byte k of the stream of connection c is
/// `pattern[(c mod 251 + k) mod 251]`. The period is a prime, so that a lost, doubled or swapped
/// piece of any usual size shows.
class Pattern {
  public:
    static constexpr std::size_t period = 251;

    static constexpr std::byte at(std::size_t index) noexcept {
        return static_cast<std::byte>((index % period * 167 + 13) % period);
    }

    /// Where the stream of connection `number` begins.
    static constexpr std::size_t phase(std::uint32_t number) noexcept { return number % period; }

    /// A table against which up to `longest` bytes are checked by one comparison, whatever their
    /// place in the period.
    explicit Pattern(std::size_t longest) : table_(longest + period) {
        for (std::size_t k = 0; k < table_.size(); ++k) table_[k] = at(k);
    }

    /// The longest piece that `matches` takes.
    std::size_t longest() const noexcept { return table_.size() - period; }

    /// Whether `data` (at most `longest()` bytes) is the pattern from `position` (below `period`)
    /// on.
    bool matches(std::size_t position, std::span<const std::byte> data) const noexcept {
        return std::memcmp(table_.data() + position, data.data(), data.size()) == 0;
    }

  private:
    std::vector<std::byte> table_;
};

}  // namespace loopbench
