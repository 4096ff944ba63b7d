#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace loopbench {

/// Memory for coroutine frames, one pool a thread: a frame that ends is handed to the next of its
/// size, so that tasks that come and go allocate nothing in the steady state. What lies idle is
/// returned when the thread ends, or by `trim`, with which every loop's destructor shuts its tasks
/// down.
///
/// With a sanitizer frames come from the heap, so that a use after the end is seen.
class FramePool {
  public:
    static void* allocate(std::size_t size) {
#ifndef LOOPBENCH_SANITIZED
        const std::size_t bin = bin_of(size);
        if (bin < bins) {
            Idle*& head = idle_[bin];
            if (head == nullptr) return make(bin);
            void* memory = head;
            head = head->next;
            return memory;
        }
#endif
        return ::operator new(size);
    }

    static void release(void* memory, [[maybe_unused]] std::size_t size) noexcept {
#ifndef LOOPBENCH_SANITIZED
        const std::size_t bin = bin_of(size);
        if (bin < bins) {
            idle_[bin] = new (memory) Idle{idle_[bin]};
            return;
        }
#endif
        ::operator delete(memory);
    }

    /// Returns this thread's idle frames to the heap.
    static void trim() noexcept {
        for (Idle*& head : idle_) {
            while (head != nullptr) {
                Idle* next = head->next;
                ::operator delete(head);
                head = next;
            }
        }
    }

  private:
    static constexpr std::size_t granule = 64;  // a cache line
    static constexpr std::size_t bins = 32;     // frames up to 2 KiB

    struct Idle {
        Idle* next;
    };

    /// Lives until its thread ends.
    struct AtThreadEnd {
        ~AtThreadEnd() { trim(); }
    };

    static std::size_t bin_of(std::size_t size) noexcept {
        return (size - 1) / granule;
    }

    [[gnu::noinline]] static void* make(std::size_t bin) {
        static thread_local AtThreadEnd trims;
        static_cast<void>(&trims);  // made by its first mention
        return ::operator new((bin + 1) * granule);
    }

    // Without a destructor of its own, so that using it needs no check of whether it is there yet.
    static inline constinit thread_local std::array<Idle*, bins> idle_{};
};

}  // namespace loopbench
