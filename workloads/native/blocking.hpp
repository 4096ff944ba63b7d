#pragma once

// The reference `bare-blocking`: echo by blocking system calls, which is the least there is for one
// connection.

#include <array>
#include <cstdint>
#include <memory>

#include "loops/contract.hpp"
#include "workloads/registry.hpp"

namespace loopbench {

/// Where everything blocks, nothing can be watched beside: the kernel sends a signal when there is
/// input on the control channel (fcntl(2), O_ASYNC), and the signal ends the system call that
/// blocks. So control costs nothing while there is none.
class BlockingHost {
  public:
    /// Throws `std::system_error`.
    explicit BlockingHost(const LoopOptions&);
    ~BlockingHost();
    BlockingHost(const BlockingHost&) = delete;
    BlockingHost& operator=(const BlockingHost&) = delete;

    class Readiness {
      public:
        using Function = void (*)(Readiness&, Interest) noexcept;

        Readiness(BlockingHost& host, int descriptor, Function function) noexcept
            : host_(host), descriptor_(descriptor), function_(function) {}
        Readiness(const Readiness&) = delete;
        Readiness& operator=(const Readiness&) = delete;
        ~Readiness() { stop(); }

        Result<> start(Interest) noexcept;
        void stop() noexcept;

      private:
        friend BlockingHost;

        BlockingHost& host_;
        int descriptor_;
        Function function_;
    };

    /// Works until a signal has come: every system call of `work` that fails with EINTR ends it.
    class Worker {
      public:
        virtual void work() noexcept = 0;

      protected:
        ~Worker() = default;
    };
    void set_worker(Worker& worker) noexcept { worker_ = &worker; }

    void count_turn() noexcept { ++turns_; }

    void run() noexcept;
    void stop() noexcept { stopped_ = true; }

    LoopCounters counters() const noexcept { return {.turns = turns_}; }
    static Availability availability() { return {}; }
    static LoopDescription describe();

  private:
    bool has_input() const noexcept;

    Readiness* watch_ = nullptr;
    Worker* worker_ = nullptr;
    std::uint64_t turns_ = 0;
    bool stopped_ = false;
};

std::unique_ptr<Workload> make_blocking_echo(BlockingHost& host, const WorkloadSetup& setup);

template <>
inline constexpr auto workload_list<BlockingHost> = std::to_array<WorkloadEntry<BlockingHost>>({
    {"echo", &make_blocking_echo},
});

}  // namespace loopbench
