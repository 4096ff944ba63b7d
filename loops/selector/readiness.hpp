#pragma once

#include "loops/selector/selector_loop.hpp"

namespace loopbench {

/// A watch on a descriptor of the caller, level-triggered: see LoopReadiness in the contract.
template <class Selector>
class SelectorLoop<Selector>::Readiness : private Descriptor {
  public:
    using Function = void (*)(Readiness&, Interest) noexcept;

    Readiness(SelectorLoop& loop, int descriptor, Function function) noexcept
        : Descriptor(&on_ready_event), loop_(loop), function_(function) {
        fd = descriptor;
    }
    ~Readiness() { stop(); }

    Result<> start(Interest wanted) noexcept {
        if (wanted == Interest::none) {
            stop();
            return {};
        }
        const int error =
            any(interest) ? loop_.selector_.modify(*this, wanted) : loop_.add(*this, wanted, true);
        if (error != 0) return Failure::from_errno(error);
        return {};
    }

    void stop() noexcept {
        if (!any(interest)) return;
        loop_.remove(*this);
        interest = Interest::none;
    }

  private:
    static void on_ready_event(Descriptor& descriptor, Ready ready) noexcept {
        auto& watch = static_cast<Readiness&>(descriptor);
        Interest found = Interest::none;
        if (ready.readable || ready.hang_up) found = found | Interest::readable;
        if (ready.writable || ready.hang_up) found = found | Interest::writable;
        found = found & watch.interest;
        if (any(found)) watch.function_(watch, found);
    }

    SelectorLoop& loop_;
    Function function_;
};

}  // namespace loopbench
