#pragma once

#include "loops/operation.hpp"

namespace loopbench {

/// An operation, of a loop's type `Base`, whose completion is a member function of its owner. The
/// owner contains it, so that nothing is allocated for it.
template <class Base, class Owner, void (Owner::*completed)() noexcept>
class Bound : public Base {
  public:
    explicit Bound(Owner& owner) noexcept : Base(&call), owner_(owner) {}

  private:
    static void call(Operation& operation) noexcept {
        (static_cast<Bound&>(operation).owner_.*completed)();
    }

    Owner& owner_;
};

}  // namespace loopbench
