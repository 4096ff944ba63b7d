#pragma once

#include <uv.h>

#include <cassert>
#include <memory>

#include "loops/result.hpp"

namespace loopbench {

/// What a libuv call or callback reported: libuv's codes are negated errno values on Unix, and
/// UV_ECANCELED is how it ends the requests of a handle that is closed. The one place where they
/// are mapped.
inline Failure uv_failure(int status) noexcept {
    assert(status < 0 && status != UV_EOF);
    return status == UV_ECANCELED ? Failure::cancelled() : Failure::from_errno(-status);
}

/// A libuv handle may be freed only after `uv_close` has called back, whereas the objects of the
/// contract are destroyed at once: so handles live on the heap and outlast their owners a little.
/// libuv calls nothing but the close callback of a handle that is closing.
template <class Handle>
struct UvClose {
    void operator()(Handle* handle) const noexcept {
        uv_close(reinterpret_cast<uv_handle_t*>(handle),
                 [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
    }
};

template <class Handle>
using UvHandle = std::unique_ptr<Handle, UvClose<Handle>>;

}  // namespace loopbench
