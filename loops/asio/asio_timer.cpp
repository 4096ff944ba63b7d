#include "loops/asio/asio_timer.hpp"

#include <algorithm>
#include <utility>

#include "loops/asio_loop.hpp"

namespace loopbench {

AsioTimerNode::AsioTimerNode(AsioLoop& of) : loop(of), timer_(of.native()) {}

void AsioTimerNode::wait_until(TimePoint deadline) {
    timer_.expires_at(deadline);
    timer_.async_wait(asio_handler<&AsioTimerNode::expired>(*this, memory_));
}

void AsioTimerNode::expired(const boost::system::error_code&) noexcept {
    AsioTimer* timer = std::exchange(owner, nullptr);
    loop.timers().give_back(*this);
    if (timer == nullptr) return;  // cancelled, whatever Asio says
    timer->node_ = nullptr;
    loop.begin_callback();
    timer->function_(*timer);
}

void AsioTimer::start_after(Duration delay) {
    const TimePoint now = loop_.now();
    const Duration longest = TimePoint::max() - now;
    start_at(now + std::clamp(delay, Duration::zero(), longest));
}

void AsioTimer::start_at(TimePoint deadline) {
    cancel();
    node_ = &loop_.timers().take(loop_);
    node_->owner = this;
    node_->wait_until(deadline);
}

void AsioTimer::cancel() noexcept {
    if (node_ == nullptr) return;
    node_->owner = nullptr;
    std::exchange(node_, nullptr)->timer_.cancel();
}

}  // namespace loopbench
