#pragma once

#include <poll.h>

#include <cstdint>

#include "loops/contract.hpp"

namespace loopbench {

/// The host of references that need no loop: their slices run by themselves, and between two of
/// them it waits for control and nothing else.
class IdleHost {
  public:
    explicit IdleHost(const LoopOptions& options) : options_(options) {}
    IdleHost(const IdleHost&) = delete;
    IdleHost& operator=(const IdleHost&) = delete;

    class Readiness {
      public:
        using Function = void (*)(Readiness&, Interest) noexcept;

        Readiness(IdleHost& host, int descriptor, Function function) noexcept
            : host_(host), descriptor_(descriptor), function_(function) {}
        Readiness(const Readiness&) = delete;
        Readiness& operator=(const Readiness&) = delete;
        ~Readiness() { stop(); }

        Result<> start(Interest) noexcept {
            host_.watch_ = this;
            return {};
        }
        void stop() noexcept { host_.watch_ = nullptr; }

      private:
        friend IdleHost;

        IdleHost& host_;
        int descriptor_;
        Function function_;
    };

    const LoopOptions& options() const noexcept { return options_; }

    void run() noexcept {
        stopped_ = false;
        while (!stopped_) {
            pollfd control{watch_->descriptor_, POLLIN, 0};
            ++turns_;
            if (::poll(&control, 1, -1) > 0) watch_->function_(*watch_, Interest::readable);
        }
    }
    void stop() noexcept { stopped_ = true; }

    LoopCounters counters() const noexcept { return {.turns = turns_}; }
    static Availability availability() { return {}; }

  private:
    LoopOptions options_;
    Readiness* watch_ = nullptr;  // there is one: the control channel's
    std::uint64_t turns_ = 0;
    bool stopped_ = false;
};

}  // namespace loopbench
