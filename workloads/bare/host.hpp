#pragma once

#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "loops/contract.hpp"
#include "loops/fd.hpp"

namespace loopbench {

/// Raw system calls and no loop: an epoll instance, in which the control descriptor is one more
/// watched descriptor, and whoever waits on it.
class BareHost {
  public:
    explicit BareHost(const LoopOptions&) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (!epoll_) throw std::system_error(errno, std::system_category(), "epoll_create1");
    }
    BareHost(const BareHost&) = delete;
    BareHost& operator=(const BareHost&) = delete;

    /// The watch of the control channel: there is one. Its events carry a null pointer.
    class Readiness {
      public:
        using Function = void (*)(Readiness&, Interest) noexcept;

        Readiness(BareHost& host, int descriptor, Function function) noexcept
            : host_(host), descriptor_(descriptor), function_(function) {}
        Readiness(const Readiness&) = delete;
        Readiness& operator=(const Readiness&) = delete;
        ~Readiness() { stop(); }

        Result<> start(Interest) noexcept {
            epoll_event event{};
            event.events = EPOLLIN;
            if (::epoll_ctl(host_.epoll(), EPOLL_CTL_ADD, descriptor_, &event) != 0) {
                return Failure::from_errno(errno);
            }
            host_.control_ = this;
            return {};
        }
        void stop() noexcept {
            if (host_.control_ != this) return;
            host_.control_ = nullptr;
            ::epoll_ctl(host_.epoll(), EPOLL_CTL_DEL, descriptor_, nullptr);
        }

      private:
        friend BareHost;

        BareHost& host_;
        int descriptor_;
        Function function_;
    };

    /// A workload that waits for events: is called once for each `run`, and returns when `stopped`.
    class Server {
      public:
        virtual void serve() noexcept = 0;

      protected:
        ~Server() = default;
    };
    void set_server(Server& server) noexcept { server_ = &server; }

    int epoll() const noexcept { return epoll_.get(); }
    void count_turn() noexcept { ++turns_; }
    /// An event with a null pointer has come.
    void control_ready() noexcept { control_->function_(*control_, Interest::readable); }
    bool stopped() const noexcept { return stopped_; }

    void run() noexcept {
        stopped_ = false;
        server_ != nullptr ? server_->serve() : wait_for_control();
    }
    void stop() noexcept { stopped_ = true; }

    LoopCounters counters() const noexcept { return {.turns = turns_}; }
    static Availability availability() { return {}; }
    static LoopDescription describe();

  private:
    void wait_for_control() noexcept {
        while (!stopped_) {
            epoll_event event;
            count_turn();
            if (::epoll_wait(epoll(), &event, 1, -1) > 0) control_ready();
        }
    }

    Fd epoll_;
    Readiness* control_ = nullptr;
    Server* server_ = nullptr;
    std::uint64_t turns_ = 0;
    bool stopped_ = false;
};

}  // namespace loopbench
