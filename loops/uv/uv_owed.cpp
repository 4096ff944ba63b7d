#include "loops/uv/uv_owed.hpp"

#include "loops/uv_loop.hpp"

namespace loopbench {

void UvOwed::owe(Operation& operation) noexcept {
    owed_.push(operation);
    schedule();
}

void UvOwed::schedule() noexcept {
    if (next == nullptr) loop_.post(*this);
}

void UvOwed::settle() noexcept {
    OperationQueue batch;
    batch.append(owed_);
    while (!batch.empty()) loop_.complete(batch.pop());
}

void UvOwed::settle_for_good() noexcept {
    while (!owed_.empty()) settle();
    loop_.withdraw(*this);
}

}  // namespace loopbench
