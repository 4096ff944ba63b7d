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
            Idle*& head = local().idle_[bin];
            if (head != nullptr) {
                void* memory = head;
                head = head->next;
                return memory;
            }
            return ::operator new((bin + 1) * granule);
        }
#endif
        return ::operator new(size);
    }

    static void release(void* memory, [[maybe_unused]] std::size_t size) noexcept {
#ifndef LOOPBENCH_SANITIZED
        const std::size_t bin = bin_of(size);
        if (bin < bins) {
            Idle*& head = local().idle_[bin];
            head = new (memory) Idle{head};
            return;
        }
#endif
        ::operator delete(memory);
    }

    /// Returns this thread's idle frames to the heap.
    static void trim() noexcept {
        for (Idle*& head : local().idle_) {
            while (head != nullptr) {
                Idle* next = head->next;
                ::operator delete(head);
                head = next;
            }
        }
    }

    ~FramePool() {
        trim();
    }

  private:
    static constexpr std::size_t granule = 64;  // a cache line
    static constexpr std::size_t bins = 32;     // frames up to 2 KiB

    struct Idle {
        Idle* next;
    };

    static std::size_t bin_of(std::size_t size) noexcept {
        return (size - 1) / granule;
    }
    static FramePool& local() noexcept {
        static thread_local FramePool pool;
        return pool;
    }

    std::array<Idle*, bins> idle_{};
};

}  // namespace loopbench
