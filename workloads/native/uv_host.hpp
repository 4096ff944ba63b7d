#pragma once

// The reference `native-uv`: the workloads straight against libuv, as its documentation and its
// examples use it. What an adapter costs is the difference between the loop `uv` and this.

#include <uv.h>

#include <array>
#include <cstdint>
#include <memory>

#include "loops/contract.hpp"
#include "workloads/registry.hpp"

namespace loopbench {

class NativeUvHost {
  public:
    /// Throws `std::system_error`.
    explicit NativeUvHost(const LoopOptions&);
    ~NativeUvHost();
    NativeUvHost(const NativeUvHost&) = delete;
    NativeUvHost& operator=(const NativeUvHost&) = delete;

    class Readiness {
      public:
        using Function = void (*)(Readiness&, Interest) noexcept;

        Readiness(NativeUvHost& host, int descriptor, Function function) noexcept
            : host_(host), descriptor_(descriptor), function_(function) {}
        Readiness(const Readiness&) = delete;
        Readiness& operator=(const Readiness&) = delete;
        ~Readiness();

        Result<> start(Interest interest);
        void stop() noexcept;

      private:
        NativeUvHost& host_;
        int descriptor_;
        Function function_;
        std::unique_ptr<uv_poll_t> handle_;
    };

    uv_loop_t* loop() noexcept { return &loop_; }

    /// Runs the callbacks of the handles that were closed. Nothing else may be active.
    void finish_closing() noexcept { uv_run(&loop_, UV_RUN_DEFAULT); }

    void run() noexcept { uv_run(&loop_, UV_RUN_DEFAULT); }
    void stop() noexcept { uv_stop(&loop_); }

    LoopCounters counters() const noexcept { return {.turns = turns_}; }
    static Availability availability();
    static LoopDescription describe();

  private:
    uv_loop_t loop_;
    uv_prepare_t turn_;  // called once a turn, just before the poll
    std::uint64_t turns_ = 0;
};

std::unique_ptr<Workload> make_native_uv_echo(NativeUvHost& host, const WorkloadSetup& setup);
std::unique_ptr<Workload> make_native_uv_fanin(NativeUvHost& host, const WorkloadSetup& setup);
std::unique_ptr<Workload> make_native_uv_timers(NativeUvHost& host, const WorkloadSetup& setup);

template <>
inline constexpr auto workload_list<NativeUvHost> = std::to_array<WorkloadEntry<NativeUvHost>>({
    {"echo", &make_native_uv_echo},
    {"fanin", &make_native_uv_fanin},
    {"timers", &make_native_uv_timers},
});

}  // namespace loopbench
