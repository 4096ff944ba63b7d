// Ping-pong straight against Boost.Asio.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "workloads/cpu_clock.hpp"
#include "workloads/native/asio_host.hpp"
#include "workloads/offered.hpp"

namespace loopbench {
namespace {

/// A step goes through the queue and takes the token. With `callback` there is one in the queue,
/// which goes from task to task; with `yield` one of each task, which stays there.
class AsioPingPong final : public Workload {
  public:
    AsioPingPong(NativeAsioHost& host, const WorkloadSetup& setup)
        : host_(host),
          parameters_(ping_pong_parameters(setup.params, "native-asio",
                                           {Variant::callback, Variant::yield})),
          steps_(parameters_.variant == Variant::callback ? 1 : parameters_.tasks) {
        const auto key = host.options().keys.find("post");
        awaits_ = key != host.options().keys.end() && key->second == "awaitable";
    }

    std::string set_up() override { return {}; }

    WorkloadCounters counters() const override {
        return {.operations = operations_, .task_switches = operations_};
    }

    SliceReport slice(std::uint64_t operations) override {
        holder_ = 0;
        remaining_ = operations;
        const auto began = std::chrono::steady_clock::now();
        const auto cpu_began = thread_cpu_time();
        for (std::uint32_t place = 0; place < steps_; ++place) begin(place);
        host_.run();  // until the token stops it
        const auto cpu = thread_cpu_time() - cpu_began;
        SliceReport result;
        result.elapsed = std::chrono::steady_clock::now() - began;
        host_.run();  // the other steps find that it is over
        result.operations = operations - std::exchange(remaining_, 0);
        operations_ += result.operations;
        result.metrics.emplace_back("cpu_ns_per_switch", static_cast<double>(cpu.count()) /
                                                             static_cast<double>(operations));
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    using Variant = PingPongParameters::Variant;

    void begin(std::uint32_t place) {
        if (awaits_) {
            boost::asio::co_spawn(host_.context(), go_on(place), boost::asio::detached);
        } else {
            post_step(place);
        }
    }

    void post_step(std::uint32_t place) {
        boost::asio::post(host_.context(), [this, place] {
            if (take(place)) post_step(after(place, steps_));
        });
    }

    boost::asio::awaitable<void> go_on(std::uint32_t place) {
        for (;;) {
            co_await boost::asio::post(host_.context(), boost::asio::use_awaitable);
            if (!take(place)) break;
            place = after(place, steps_);
        }
    }

    /// The place that is so many steps further.
    std::uint32_t after(std::uint32_t place, std::uint32_t steps) const noexcept {
        const std::uint32_t there = place + steps;
        return there >= parameters_.tasks ? there - parameters_.tasks : there;
    }

    bool take(std::uint32_t place) {
        if (remaining_ == 0) return false;
        if (place != holder_) {
            check_.fail("the token came to task " + std::to_string(place) + " instead of task " +
                        std::to_string(holder_));
        }
        holder_ = after(place, 1);
        if (--remaining_ > 0) return true;
        host_.stop();
        return false;
    }

    NativeAsioHost& host_;
    PingPongParameters parameters_;
    std::uint32_t steps_;  // in the queue at a time
    bool awaits_ = false;
    SelfCheck check_;
    std::uint32_t holder_ = 0;
    std::uint64_t remaining_ = 0;
    std::uint64_t operations_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_native_asio_ping_pong(NativeAsioHost& host,
                                                     const WorkloadSetup& setup) {
    return std::make_unique<AsioPingPong>(host, setup);
}

}  // namespace loopbench
