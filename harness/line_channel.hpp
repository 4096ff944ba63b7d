#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace loopbench {

/// The longest line of the control protocol, without its line break.
inline constexpr std::size_t max_line_bytes = std::size_t{16} << 20;

/// Cuts what arrives on a descriptor into lines. It works on blocking and on non-blocking
/// descriptors: `read_line` waits in read(2); whoever has many descriptors polls them, calls `feed`
/// for a readable one and then `next_line` until it has none. Does not own the descriptor.
class LineReader {
  public:
    enum class Fed : std::uint8_t {
        data,         ///< bytes were read; there may be more
        would_block,  ///< a non-blocking descriptor has nothing now
        end,          ///< end of file, or the other end is gone: nothing will come any more
    };

    explicit LineReader(int descriptor, std::size_t longest_line = max_line_bytes)
        : descriptor_(descriptor), longest_line_(longest_line) {}

    /// Reads once. Throws `std::system_error` when read(2) fails.
    Fed feed();

    /// The next whole line without its line break, or nothing when none is complete. Throws
    /// `std::length_error` as soon as a line is longer than allowed: the stream is of no use then.
    std::optional<std::string> next_line();

    /// Waits for the next line on a blocking descriptor; nothing at the end of input. Throws as the
    /// two above.
    std::optional<std::string> read_line();

    /// What came after the last line break: at the end of input, a message that was cut short.
    std::string_view unfinished() const noexcept {
        return std::string_view(buffer_).substr(line_start_);
    }

  private:
    int descriptor_;
    std::size_t longest_line_;
    std::string buffer_;
    std::size_t line_start_ = 0;  // in buffer_, of the line that comes next
    std::size_t searched_ = 0;    // no line break between line_start_ and here
};

/// Writes `line`, which contains no line break, and a line break. Waits while the other end takes
/// nothing, on a non-blocking descriptor too. False when nobody reads any more; the caller has
/// SIGPIPE ignored. Throws `std::system_error` when write(2) fails otherwise.
bool write_line(int descriptor, std::string_view line);

}  // namespace loopbench
