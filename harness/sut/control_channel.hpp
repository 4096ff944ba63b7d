#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace loopbench {

/// A line on the control channel that is no message. Nothing that follows can be trusted.
class MalformedMessage : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The two ends of the control protocol: lines in, lines out. The descriptors stay the caller's.
class ControlChannel {
  public:
    static constexpr std::size_t longest_line = 16 << 20;  ///< bytes, of the protocol

    ControlChannel(int input, int output) noexcept : input_(input), output_(output) {}
    ControlChannel(const ControlChannel&) = delete;
    ControlChannel& operator=(const ControlChannel&) = delete;

    int input() const noexcept { return input_; }

    /// Reads once what is there; waits for it if the input is blocking. Nothing to read, on one
    /// that does not block, is no error. Throws `std::system_error`, and `MalformedMessage` for a
    /// line that is too long.
    void fill();

    /// The next line that has arrived as a whole, without its end; valid until `fill`. A last line
    /// that the input ends without is one, too.
    std::optional<std::string_view> next();

    /// True when the input is at its end and `next` has given everything.
    bool ended() const noexcept { return at_end_ && taken_ == received_.size(); }

    /// Writes a line, to which this adds the end. Waits until it is written. A reader who is gone
    /// is no error: the input then ends as well. Throws `std::system_error`.
    void send(std::string line);

  private:
    int input_;
    int output_;
    std::string received_;
    std::size_t taken_ = 0;     // bytes at its front that `next` has given
    std::size_t searched_ = 0;  // bytes at its front without an end of line, beyond `taken_`
    bool at_end_ = false;
};

}  // namespace loopbench
