#include "loops/uv/uv_readiness.hpp"

#include <memory>

#include "loops/uv_loop.hpp"

namespace loopbench {

static_assert(static_cast<int>(Interest::readable) == UV_READABLE &&
              static_cast<int>(Interest::writable) == UV_WRITABLE);

Result<> UvReadiness::start(Interest interest) {
    if (handle_ == nullptr) {
        auto handle = std::make_unique<uv_poll_t>();
        const int status = uv_poll_init(loop_.native(), handle.get(), descriptor_);
        if (status < 0) return uv_failure(status);
        handle->data = this;
        handle_.reset(handle.release());
    }
    // libuv would take the descriptor out of epoll and put it in again.
    if (interest == interest_) return {};
    const int status = uv_poll_start(handle_.get(), static_cast<int>(interest), on_poll);
    if (status < 0) return uv_failure(status);
    interest_ = interest;
    return {};
}

void UvReadiness::stop() noexcept {
    if (interest_ == Interest::none) return;
    interest_ = Interest::none;
    uv_poll_stop(handle_.get());
}

void UvReadiness::on_poll(uv_poll_t* handle, int status, int events) noexcept {
    UvReadiness& watch = *static_cast<UvReadiness*>(handle->data);
    watch.loop_.begin_callback();
    if (status < 0) {
        // An error on the descriptor, upon which libuv stops watching; the contract goes on until
        // the owner, who finds the error by its own call, stops it.
        uv_poll_start(handle, static_cast<int>(watch.interest_), on_poll);
        watch.function_(watch, watch.interest_);
        return;
    }
    const Interest found = static_cast<Interest>(events) & watch.interest_;
    if (any(found)) watch.function_(watch, found);
}

}  // namespace loopbench
