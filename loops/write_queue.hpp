#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace loopbench {

/// Bytes that wait to be sent, in order. Holds no memory while empty, beyond a small reserve.
class WriteQueue {
  public:
    bool empty() const noexcept { return size() == 0; }
    std::size_t size() const noexcept { return bytes_.size() - sent_; }

    /// Copies `bytes` behind what is here.
    void append(std::span<const std::byte> bytes) {
        // Room is made at the front once that half is waste, so that each byte moves O(1) times.
        if (sent_ > bytes_.size() / 2) {
            bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(sent_));
            sent_ = 0;
        }
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }

    std::span<const std::byte> front() const noexcept { return std::span(bytes_).subspan(sent_); }

    /// Drops the first `count` bytes, which have been sent.
    void consume(std::size_t count) noexcept {
        sent_ += count;
        if (empty()) clear();
    }

    void clear() noexcept {
        bytes_.clear();
        sent_ = 0;
        if (bytes_.capacity() > reserve) std::vector<std::byte>().swap(bytes_);
    }

  private:
    static constexpr std::size_t reserve = 4096;

    std::vector<std::byte> bytes_;
    std::size_t sent_ = 0;
};

}  // namespace loopbench
