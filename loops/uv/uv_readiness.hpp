#pragma once

#include <uv.h>

#include "loops/contract.hpp"
#include "loops/uv/uv_handle.hpp"

namespace loopbench {

class UvLoop;

/// `uv_poll_t` on a descriptor of the caller.
class UvReadiness {
  public:
    using Function = void (*)(UvReadiness&, Interest) noexcept;

    UvReadiness(UvLoop& loop, int descriptor, Function function) noexcept
        : loop_(loop), descriptor_(descriptor), function_(function) {}
    UvReadiness(const UvReadiness&) = delete;
    UvReadiness& operator=(const UvReadiness&) = delete;

    /// Errors: what epoll says of the descriptor (EBADF, EPERM for a regular file), EEXIST when
    /// something else of this loop watches it.
    Result<> start(Interest interest);
    void stop() noexcept;

  private:
    static void on_poll(uv_poll_t* handle, int status, int events) noexcept;

    UvLoop& loop_;
    int descriptor_;
    Interest interest_ = Interest::none;
    Function function_;
    UvHandle<uv_poll_t> handle_;  // from the first start on
};

}  // namespace loopbench
