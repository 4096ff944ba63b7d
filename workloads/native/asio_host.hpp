#pragma once

// The reference `native-asio`: the workloads straight against Boost.Asio, as its documentation and
// its examples use it. What an adapter costs is the difference between the loop `asio` and this.

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <optional>

#include "loops/contract.hpp"
#include "workloads/registry.hpp"

namespace loopbench {

class NativeAsioHost {
  public:
    /// Throws `std::system_error`.
    explicit NativeAsioHost(const LoopOptions& options);
    NativeAsioHost(const NativeAsioHost&) = delete;
    NativeAsioHost& operator=(const NativeAsioHost&) = delete;

    class Readiness {
      public:
        using Function = void (*)(Readiness&, Interest) noexcept;

        Readiness(NativeAsioHost& host, int descriptor, Function function) noexcept
            : host_(host), descriptor_(descriptor), function_(function) {}
        Readiness(const Readiness&) = delete;
        Readiness& operator=(const Readiness&) = delete;
        ~Readiness() { stop(); }

        Result<> start(Interest) noexcept;
        void stop() noexcept;

      private:
        void wait();

        NativeAsioHost& host_;
        int descriptor_;
        Function function_;
        std::optional<boost::asio::posix::stream_descriptor> watched_;
    };

    const LoopOptions& options() const noexcept { return options_; }
    boost::asio::io_context& context() noexcept { return context_; }

    /// Runs what is ready, without waiting.
    void poll() {
        context_.restart();
        context_.poll();
    }
    /// Until `stop`, or until there is nothing left to wait for.
    void run() {
        context_.restart();
        context_.run();
    }
    void stop() { context_.stop(); }

    LoopCounters counters() const noexcept;
    static Availability availability();
    static LoopDescription describe();

  private:
    LoopOptions options_;
    // The hint: one thread runs it. Other values cost locks.
    boost::asio::io_context context_{1};
};

std::unique_ptr<Workload> make_native_asio_echo(NativeAsioHost& host, const WorkloadSetup& setup);
std::unique_ptr<Workload> make_native_asio_fanin(NativeAsioHost& host, const WorkloadSetup& setup);
std::unique_ptr<Workload> make_native_asio_timers(NativeAsioHost& host, const WorkloadSetup& setup);
std::unique_ptr<Workload> make_native_asio_ping_pong(NativeAsioHost& host,
                                                     const WorkloadSetup& setup);

template <>
inline constexpr auto workload_list<NativeAsioHost> = std::to_array<WorkloadEntry<NativeAsioHost>>({
    {"echo", &make_native_asio_echo},
    {"fanin", &make_native_asio_fanin},
    {"timers", &make_native_asio_timers},
    {"pingpong", &make_native_asio_ping_pong},
});

}  // namespace loopbench
