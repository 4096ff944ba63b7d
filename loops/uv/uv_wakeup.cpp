#include "loops/uv/uv_wakeup.hpp"

#include <memory>
#include <system_error>

#include "loops/uv_loop.hpp"

namespace loopbench {

UvWakeup::UvWakeup(UvLoop& loop, Function function) : loop_(loop), function_(function) {
    auto handle = std::make_unique<uv_async_t>();
    const int status = uv_async_init(loop.native(), handle.get(), on_async);
    if (status < 0) throw std::system_error(-status, std::system_category(), "uv_async_init");
    handle->data = this;
    handle_.reset(handle.release());
}

void UvWakeup::on_async(uv_async_t* handle) noexcept {
    UvWakeup& wakeup = *static_cast<UvWakeup*>(handle->data);
    // Before the call: a notification from now on brings another one. An exchange rather than a
    // store, so that it is ordered behind every `notify` that it answers.
    wakeup.notified_.exchange(false, std::memory_order_acq_rel);
    wakeup.loop_.begin_callback();
    wakeup.function_(wakeup);
}

}  // namespace loopbench
