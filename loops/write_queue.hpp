#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace loopbench {

/// Bytes that wait to be sent, in order. They lie in pieces that stay where they are until they are
/// consumed, so that the kernel may hold the front one while more is appended. Holds no memory
/// while empty, beyond a small reserve.
class WriteQueue {
  public:
    WriteQueue() noexcept = default;
    WriteQueue(WriteQueue&& other) noexcept
        : first_(std::move(other.first_)),
          last_(std::exchange(other.last_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    WriteQueue& operator=(WriteQueue&& other) noexcept {
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        std::swap(size_, other.size_);
        return *this;
    }
    // One by one: the chain of owners would else end in a recursion as deep as it is long.
    ~WriteQueue() {
        while (first_ != nullptr) drop_first();
    }

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    /// Copies `bytes` behind what is here.
    void append(std::span<const std::byte> bytes) {
        size_ += bytes.size();
        if (last_ != nullptr) bytes = last_->take(bytes);
        if (bytes.empty()) return;
        const std::size_t usual =
            last_ == nullptr ? least_piece : std::min(2 * last_->capacity, usual_piece);
        auto piece = std::make_unique<Piece>(std::max(bytes.size(), usual));
        piece->take(bytes);
        Piece* added = piece.get();
        (last_ == nullptr ? first_ : last_->next) = std::move(piece);
        last_ = added;
    }

    /// The oldest bytes, as many as lie together; none only when the queue is empty.
    std::span<const std::byte> front() const noexcept {
        return first_ == nullptr ? std::span<const std::byte>() : first_->waiting();
    }

    /// Drops the first `count` bytes, which have been sent.
    void consume(std::size_t count) noexcept {
        size_ -= count;
        while (count > 0 && count >= first_->waiting().size() && first_.get() != last_) {
            count -= first_->waiting().size();
            drop_first();
        }
        if (count > 0) first_->begin += count;
        if (empty()) clear();
    }

    void clear() noexcept {
        while (first_.get() != last_) drop_first();
        if (last_ != nullptr && last_->capacity > least_piece) drop_first();
        if (last_ != nullptr) last_->begin = last_->end = 0;
        size_ = 0;
    }

  private:
    static constexpr std::size_t least_piece = 4096;
    static constexpr std::size_t usual_piece = 64 * 1024;  // of a queue that grows

    struct Piece {
        explicit Piece(std::size_t size)
            : bytes(std::make_unique_for_overwrite<std::byte[]>(size)), capacity(size) {}

        /// Copies what there is room for; gives the rest.
        std::span<const std::byte> take(std::span<const std::byte> more) noexcept {
            const std::size_t fits = std::min(more.size(), capacity - end);
            if (fits > 0) std::memcpy(bytes.get() + end, more.data(), fits);
            end += fits;
            return more.subspan(fits);
        }
        std::span<const std::byte> waiting() const noexcept {
            return {bytes.get() + begin, end - begin};
        }

        std::unique_ptr<std::byte[]> bytes;
        std::size_t capacity;
        std::size_t begin = 0;  // of what waits
        std::size_t end = 0;
        std::unique_ptr<Piece> next;
    };

    void drop_first() noexcept {
        if (first_.get() == last_) last_ = nullptr;
        std::unique_ptr<Piece> rest = std::move(first_->next);
        first_ = std::move(rest);
    }

    std::unique_ptr<Piece> first_;
    Piece* last_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace loopbench
