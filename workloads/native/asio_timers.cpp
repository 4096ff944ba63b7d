// The timer storm straight against Boost.Asio.

#include <boost/asio/steady_timer.hpp>

#include "workloads/native/asio_host.hpp"
#include "workloads/native/native_storm.hpp"

namespace loopbench {
namespace {

class AsioTimers {
  public:
    struct Handle {
        explicit Handle(const AsioTimers& timers) : timer(timers.host_.context()) {}
        boost::asio::steady_timer timer;
    };

    explicit AsioTimers(NativeAsioHost& host) noexcept : host_(host) {}

    template <class Timer>
    TimePoint start(Timer& timer, TimePoint deadline) {
        timer.handle.timer.expires_at(deadline);  // aborts the wait that is pending
        timer.handle.timer.async_wait([&timer](const boost::system::error_code& error) {
            if (!error) timer.storm.fired(timer);
        });
        return deadline;
    }
    template <class Timer>
    void cancel(Timer& timer) {
        timer.handle.timer.cancel();
    }
    template <class Timer>
    void close(Timer& timer) {
        timer.handle.timer.cancel();
    }

    TimePoint now() const noexcept { return std::chrono::steady_clock::now(); }
    Duration resolution() const noexcept { return Duration(1); }
    void settle() { host_.poll(); }
    void run() { host_.run(); }
    void stop() { host_.stop(); }

  private:
    NativeAsioHost& host_;
};

}  // namespace

std::unique_ptr<Workload> make_native_asio_timers(NativeAsioHost& host,
                                                  const WorkloadSetup& setup) {
    return std::make_unique<NativeStorm<NativeAsioHost, AsioTimers>>(host, setup);
}

}  // namespace loopbench
