#pragma once

// What a SUT is built around, a loop or a reference, as the session sees it: the virtual calls are
// those of the control path, and the only code of a SUT that is compiled anew for every host.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>

#include "harness/sut/host.hpp"
#include "harness/sut/messages.hpp"
#include "workloads/registry.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// A host that has been made, with its workload and its watch over the control channel's input.
class Hosted {
  public:
    Hosted() = default;
    Hosted(const Hosted&) = delete;
    Hosted& operator=(const Hosted&) = delete;
    virtual ~Hosted() = default;

    /// Makes its workload, once, of a name that is among the facts'. Throws `WorkloadError`.
    virtual Workload& make_workload(std::string_view name, const WorkloadSetup& setup) = 0;

    /// Has `run` return when there is input, until `unwatch`.
    virtual Result<> watch() = 0;
    virtual void unwatch() = 0;

    /// Runs the host until there is input.
    virtual void run() = 0;

    /// Turns so far, less those that brought input, and as a rule nothing else.
    virtual std::uint64_t turns() const = 0;
};

/// What can be hosted, before it is made.
struct HostType {
    SutFacts (*facts)();

    /// Makes it, to watch the descriptor `input`. Throws what the host's constructor throws.
    std::unique_ptr<Hosted> (*make)(const LoopOptions& options, int input);
};

template <SutHost Host>
class HostedOn final : public Hosted {
  public:
    HostedOn(const LoopOptions& options, int input) : host_(options), watch_(*this, input) {}

    Workload& make_workload(std::string_view name, const WorkloadSetup& setup) override {
        const auto entry = std::find_if(workload_list<Host>.begin(), workload_list<Host>.end(),
                                        [&](const auto& each) { return each.name == name; });
        workload_ = entry->make(host_, setup);
        return *workload_;
    }

    Result<> watch() override { return watch_.start(Interest::readable); }
    void unwatch() override { watch_.stop(); }
    void run() override { host_.run(); }
    std::uint64_t turns() const override { return host_.counters().turns - control_turns_; }

  private:
    struct Watch : Host::Readiness {
        Watch(HostedOn& its_owner, int input)
            : Host::Readiness(its_owner.host_, input, &ready), owner(its_owner) {}
        static void ready(typename Host::Readiness& watch, Interest) noexcept {
            static_cast<Watch&>(watch).owner.input_ready();
        }
        HostedOn& owner;
    };

    void input_ready() noexcept {
        ++control_turns_;
        host_.stop();
    }

    Host host_;
    std::unique_ptr<Workload> workload_;
    Watch watch_;  // goes first: a workload that goes may run the host, which input must not stop
    std::uint64_t control_turns_ = 0;
};

template <SutHost Host>
SutFacts facts_of() {
    SutFacts facts{kind_of<Host>, Host::describe(), Host::availability(), {}};
    if constexpr (EventLoop<Host>) facts.loop.keys.push_back(form_key());
    for (const auto& entry : workload_list<Host>) facts.workloads.push_back(entry.name);
    return facts;
}

template <SutHost Host>
std::unique_ptr<Hosted> make_host(const LoopOptions& options, int input) {
    return std::make_unique<HostedOn<Host>>(options, input);
}

template <SutHost Host>
inline constexpr HostType host_type{&facts_of<Host>, &make_host<Host>};

}  // namespace loopbench
