#pragma once

#include <uv.h>

#include <atomic>

#include "loops/uv/uv_handle.hpp"

namespace loopbench {

class UvLoop;

/// `uv_async_t`, with a flag of its own in front: libuv 1.44 looks at its flag with a relaxed load,
/// which may still see the previous notification as pending when the loop has already taken it;
/// what the caller wrote before `notify` would then go unnoticed.
class UvWakeup {
  public:
    using Function = void (*)(UvWakeup&) noexcept;

    UvWakeup(UvLoop& loop, Function function);
    UvWakeup(const UvWakeup&) = delete;
    UvWakeup& operator=(const UvWakeup&) = delete;

    void notify() noexcept {
        if (!notified_.exchange(true, std::memory_order_acq_rel)) uv_async_send(handle_.get());
    }

  private:
    static void on_async(uv_async_t* handle) noexcept;

    UvLoop& loop_;
    std::atomic<bool> notified_{false};
    Function function_;
    UvHandle<uv_async_t> handle_;
};

}  // namespace loopbench
