#pragma once

#include "loops/operation.hpp"

namespace loopbench {

class UvLoop;

/// The completions that a stream or listener owes and that must not run where they arise, inside a
/// call of the owner. They run from the ready queue, in which this stands once for all of them, or
/// when the handle has closed, whichever comes first: so none is left when `close` completes.
class UvOwed : public Operation {
  public:
    /// `deliver` is called from the ready queue, and calls `settle`.
    UvOwed(UvLoop& loop, Function deliver) noexcept : Operation(deliver), loop_(loop) {}

    /// The operation's result is set already.
    void owe(Operation& operation) noexcept;

    /// Has `deliver` called, once.
    void schedule() noexcept;

    /// Runs what is owed now, but not what comes to be owed meanwhile.
    void settle() noexcept;

    /// Leaves the ready queue and runs all that is owed.
    void settle_for_good() noexcept;

    UvLoop& loop() const noexcept { return loop_; }

  private:
    UvLoop& loop_;
    OperationQueue owed_;
};

}  // namespace loopbench
