#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <cassert>
#include <cstddef>
#include <new>
#include <utility>

namespace loopbench {

/// Where Asio keeps an operation while it is in flight, in place of the heap: room for one at a
/// time. Asio gives it back before it calls the handler, which may therefore start the next.
template <std::size_t capacity>
class AsioHandlerMemory {
  public:
    AsioHandlerMemory() noexcept = default;
    AsioHandlerMemory(const AsioHandlerMemory&) = delete;
    AsioHandlerMemory& operator=(const AsioHandlerMemory&) = delete;

    void* allocate(std::size_t size) {
        assert(!used_ && size <= capacity);
        if (used_ || size > capacity) throw std::bad_alloc();
        used_ = true;
        return storage_;
    }
    void release() noexcept { used_ = false; }

  private:
    alignas(std::max_align_t) std::byte storage_[capacity];
    bool used_ = false;
};

/// The allocator that Asio finds with a handler.
template <class T, std::size_t capacity>
class AsioHandlerAllocator {
  public:
    using value_type = T;
    template <class U>
    struct rebind {
        using other = AsioHandlerAllocator<U, capacity>;
    };

    explicit AsioHandlerAllocator(AsioHandlerMemory<capacity>& memory) noexcept
        : memory_(&memory) {}
    template <class U>
    AsioHandlerAllocator(const AsioHandlerAllocator<U, capacity>& other) noexcept
        : memory_(other.memory_) {}

    T* allocate(std::size_t count) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        return static_cast<T*>(memory_->allocate(count * sizeof(T)));
    }
    void deallocate(T*, std::size_t) noexcept { memory_->release(); }

    template <class U>
    bool operator==(const AsioHandlerAllocator<U, capacity>& other) const noexcept {
        return memory_ == other.memory_;
    }

  private:
    template <class U, std::size_t>
    friend class AsioHandlerAllocator;
    AsioHandlerMemory<capacity>* memory_;
};

/// A handler for Asio that calls a member function of its owner.
template <auto function, class Owner, std::size_t capacity>
class AsioHandler {
  public:
    using allocator_type = AsioHandlerAllocator<std::byte, capacity>;

    AsioHandler(Owner& owner, AsioHandlerMemory<capacity>& memory) noexcept
        : owner_(&owner), memory_(&memory) {}

    allocator_type get_allocator() const noexcept { return allocator_type(*memory_); }

    template <class... Arguments>
    void operator()(Arguments&&... arguments) const noexcept {
        (owner_->*function)(std::forward<Arguments>(arguments)...);
    }

  private:
    Owner* owner_;
    AsioHandlerMemory<capacity>* memory_;
};

template <auto function, class Owner, std::size_t capacity>
AsioHandler<function, Owner, capacity> asio_handler(Owner& owner,
                                                    AsioHandlerMemory<capacity>& memory) noexcept {
    return {owner, memory};
}

/// The same for an operation that is cancelled by a signal of its own, so that others of its socket
/// go on. The signal keeps the memory that Asio takes for it from one operation to the next.
template <auto function, class Owner, std::size_t capacity>
class AsioCancellableHandler : public AsioHandler<function, Owner, capacity> {
  public:
    using cancellation_slot_type = boost::asio::cancellation_slot;

    AsioCancellableHandler(Owner& owner, AsioHandlerMemory<capacity>& memory,
                           boost::asio::cancellation_signal& signal) noexcept
        : AsioHandler<function, Owner, capacity>(owner, memory), slot_(signal.slot()) {}

    cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

  private:
    cancellation_slot_type slot_;
};

}  // namespace loopbench
