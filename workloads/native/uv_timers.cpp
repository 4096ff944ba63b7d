// The timer storm straight against libuv.

#include <chrono>
#include <cstdint>

#include "workloads/native/native_storm.hpp"
#include "workloads/native/uv_host.hpp"

namespace loopbench {
namespace {

class UvTimers {
  public:
    using Milliseconds = std::chrono::milliseconds;

    struct Handle {
        explicit Handle(const UvTimers& timers) noexcept { uv_timer_init(timers.loop_, &timer); }
        uv_timer_t timer;
    };

    explicit UvTimers(NativeUvHost& host) noexcept : host_(host), loop_(host.loop()) {}

    template <class Timer>
    TimePoint start(Timer& timer, TimePoint deadline) noexcept {
        // libuv's clock is the steady one, in whole milliseconds, read once a turn.
        const auto at = std::chrono::ceil<Milliseconds>(deadline.time_since_epoch());
        const auto now = static_cast<std::int64_t>(uv_now(loop_));
        const auto delay = static_cast<std::uint64_t>(at.count() > now ? at.count() - now : 0);
        timer.handle.timer.data = &timer;
        uv_timer_start(
            &timer.handle.timer,
            [](uv_timer_t* handle) {
                auto& due = *static_cast<Timer*>(handle->data);
                due.storm.fired(due);
            },
            delay, 0);
        return TimePoint(at);
    }
    template <class Timer>
    void cancel(Timer& timer) noexcept {
        uv_timer_stop(&timer.handle.timer);
    }
    template <class Timer>
    void close(Timer& timer) noexcept {
        uv_close(reinterpret_cast<uv_handle_t*>(&timer.handle.timer), nullptr);
        closing_ = true;
    }

    TimePoint now() const noexcept { return TimePoint(Milliseconds(uv_now(loop_))); }
    Duration resolution() const noexcept { return Milliseconds(1); }
    /// A cancelled timer is not called back; only closing goes on in the loop.
    void settle() noexcept {
        if (closing_) host_.finish_closing();
    }
    void run() noexcept { host_.run(); }
    void stop() noexcept { host_.stop(); }

  private:
    NativeUvHost& host_;
    uv_loop_t* loop_;
    bool closing_ = false;
};

}  // namespace

std::unique_ptr<Workload> make_native_uv_timers(NativeUvHost& host, const WorkloadSetup& setup) {
    return std::make_unique<NativeStorm<NativeUvHost, UvTimers>>(host, setup);
}

}  // namespace loopbench
