#include "loops/uv/uv_timer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "loops/uv_loop.hpp"

namespace loopbench {

UvTimer::~UvTimer() {
    cancel();
    if (handle_ != nullptr) loop_.timers_.give_back(handle_);
}

void UvTimer::start_after(Duration delay) {
    const TimePoint now = loop_.now();
    const Duration longest = TimePoint::max() - now;
    start_at(now + std::clamp(delay, Duration::zero(), longest));
}

void UvTimer::start_at(TimePoint deadline) {
    cancel();
    if (deadline == TimePoint::max()) {
        state_ = State::never;
        return;
    }
    UvTimers& timers = loop_.timers_;
    if (handle_ == nullptr) {
        handle_ = timers.take_handle();
        handle_->data = this;
    }
    using std::chrono::milliseconds;
    const auto rounded = std::chrono::ceil<milliseconds>(deadline.time_since_epoch()).count();
    due_ms_ = rounded > 0 ? static_cast<std::uint64_t>(rounded) : 0;
    start_id_ = timers.next_start_id_++;
    const std::uint64_t now_ms = uv_now(&timers.loop_);
    if (deadline <= loop_.now() || due_ms_ <= now_ms) {
        // Due in the next turn. Not by libuv, which would take all these for equal.
        timers.add_due(*this);
    } else {
        // libuv adds the same cached time again: the deadline is exact however old that is.
        state_ = State::running;
        uv_timer_start(handle_, on_timer, due_ms_ - now_ms, 0);
    }
}

void UvTimer::cancel() noexcept {
    switch (std::exchange(state_, State::idle)) {
        case State::running:
            uv_timer_stop(handle_);
            break;
        case State::due:
            loop_.timers_.due_[index_] = nullptr;
            break;
        case State::firing:
            loop_.timers_.firing_[index_] = nullptr;
            break;
        case State::idle:
        case State::never:
            break;
    }
}

void UvTimer::on_timer(uv_timer_t* handle) noexcept {
    UvTimer& timer = *static_cast<UvTimer*>(handle->data);
    UvTimers& timers = timer.loop_.timers_;
    if (timer.start_id_ >= timers.first_start_id_of_turn_) {
        timers.add_due(timer);
        return;
    }
    timer.state_ = State::idle;
    timer.loop_.begin_callback();
    timer.function_(timer);
}

bool UvTimers::begin_turn() noexcept {
    first_start_id_of_turn_ = next_start_id_;
    if (due_.empty()) return false;
    firing_.swap(due_);
    due_.reserve(firing_.capacity());
    std::erase(firing_, nullptr);
    std::sort(firing_.begin(), firing_.end(), [](const UvTimer* a, const UvTimer* b) {
        return a->due_ms_ != b->due_ms_ ? a->due_ms_ < b->due_ms_ : a->start_id_ < b->start_id_;
    });
    for (std::size_t i = 0; i < firing_.size(); ++i) {
        firing_[i]->index_ = i;
        firing_[i]->state_ = UvTimer::State::firing;
    }
    return !firing_.empty();
}

void UvTimers::fire() noexcept {
    for (UvTimer* timer : firing_) {
        if (timer == nullptr) continue;  // cancelled, maybe by one that fired just now
        timer->state_ = UvTimer::State::idle;
        timer->loop_.begin_callback();
        timer->function_(*timer);
    }
    firing_.clear();
}

void UvTimers::close() noexcept {
    spare_.clear();
}

uv_timer_t* UvTimers::take_handle() {
    if (spare_.empty()) {
        // Room for all of them first: giving one back happens in destructors, and what is due
        // should not allocate.
        if (++handles_ > spare_.capacity()) {
            spare_.reserve(2 * handles_);
            due_.reserve(2 * handles_);
        }
        auto handle = std::make_unique<uv_timer_t>();
        uv_timer_init(&loop_, handle.get());  // cannot fail
        return handle.release();
    }
    uv_timer_t* handle = spare_.back().release();
    spare_.pop_back();
    return handle;
}

void UvTimers::give_back(uv_timer_t* handle) noexcept {
    spare_.emplace_back(handle);
}

void UvTimers::add_due(UvTimer& timer) {
    timer.state_ = UvTimer::State::due;
    timer.index_ = due_.size();
    due_.push_back(&timer);
}

}  // namespace loopbench
