#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "loops/uring/ring.hpp"

namespace loopbench {

/// Buffers that the kernel chooses from when bytes arrive (a ring-mapped provided-buffer group,
/// Linux 5.19). They are lent to `data_received` and go back when it returns.
///
/// The kernel takes them in turn, so that each of them is touched again and again however few are
/// needed at once: what lies in the caches is bought with using few. It starts with few, therefore,
/// and gets more when they have run out.
class BufferRing {
  public:
    static constexpr int group = 0;

    /// `count`, the most that there will be, is a power of two up to 32768. Throws
    /// `std::system_error`.
    BufferRing(Ring& ring, unsigned count, std::size_t size)
        : ring_(ring), count_(count), size_(size) {
        memory_ = map(count * stride());  // pages are touched only as buffers are used
        entries_ = static_cast<io_uring_buf_ring*>(map(count * sizeof(io_uring_buf)));
        io_uring_buf_reg registration{};
        registration.ring_addr = reinterpret_cast<__u64>(entries_);
        registration.ring_entries = count;
        registration.bgid = group;
        if (const int error = -::io_uring_register_buf_ring(ring.get(), &registration, 0)) {
            unmap();
            throw std::system_error(error, std::system_category(), "registering provided buffers");
        }
        ::io_uring_buf_ring_init(entries_);
        provide(std::min(count, first_provided));
    }
    BufferRing(const BufferRing&) = delete;
    BufferRing& operator=(const BufferRing&) = delete;
    ~BufferRing() {
        ::io_uring_unregister_buf_ring(ring_.get(), group);
        unmap();
    }

    /// Bytes of a buffer.
    std::size_t size() const noexcept { return size_; }

    /// The bytes that a completion brought.
    std::span<std::byte> bytes(unsigned flags, int length) noexcept {
        return {static_cast<std::byte*>(at(flags >> IORING_CQE_BUFFER_SHIFT)),
                static_cast<std::size_t>(length)};
    }

    /// Gives the buffer of a completion back to the kernel.
    void give_back(unsigned flags) noexcept {
        const unsigned index = flags >> IORING_CQE_BUFFER_SHIFT;
        ::io_uring_buf_ring_add(entries_, at(index), static_cast<unsigned>(size_),
                                static_cast<unsigned short>(index), mask(), 0);
        ::io_uring_buf_ring_advance(entries_, 1);
    }

    /// They have run out: provides as many again, up to the most that there will be. Once between
    /// two enters: every socket that found none says so.
    void provide_more() noexcept {
        if (std::exchange(grown_at_, ring_.submissions()) == ring_.submissions()) return;
        provide(std::min(provided_, count_ - provided_));
    }

  private:
    static constexpr unsigned first_provided = 64;
    static constexpr std::size_t cache_line = 64;

    void provide(unsigned more) noexcept {
        for (unsigned i = 0; i < more; ++i) {
            ::io_uring_buf_ring_add(entries_, at(provided_ + i), static_cast<unsigned>(size_),
                                    static_cast<unsigned short>(provided_ + i), mask(),
                                    static_cast<int>(i));
        }
        ::io_uring_buf_ring_advance(entries_, static_cast<int>(more));
        provided_ += more;
    }

    int mask() const noexcept { return static_cast<int>(count_ - 1); }
    /// A line more than a buffer: buffers whose beginnings are a power of two apart would compete
    /// for the same few places in the caches.
    std::size_t stride() const noexcept {
        return (size_ + cache_line - 1) / cache_line * cache_line + cache_line;
    }
    void* at(unsigned index) const noexcept {
        return static_cast<std::byte*>(memory_) + index * stride();
    }
    static void* map(std::size_t size) {
        void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::system_error(errno, std::system_category(), "mapping provided buffers");
        }
        return memory;
    }
    void unmap() noexcept {
        ::munmap(memory_, count_ * stride());
        ::munmap(entries_, count_ * sizeof(io_uring_buf));
    }

    Ring& ring_;
    unsigned count_;
    unsigned provided_ = 0;
    std::uint64_t grown_at_ = 0;  // the ring's submissions when there were last provided more
    std::size_t size_;
    void* memory_ = nullptr;
    io_uring_buf_ring* entries_ = nullptr;
};

}  // namespace loopbench
