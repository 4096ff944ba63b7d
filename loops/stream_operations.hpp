#pragma once

#include <cstddef>
#include <span>

#include "loops/contract.hpp"

namespace loopbench {

// The operations of the hand-written loops' streams and listeners: see LoopStream in the contract.
// What waits in the kernel is known to the stream; an operation holds what the caller brought.

struct StreamRead : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    std::span<std::byte> buffer;
};

struct StreamWrite : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    std::span<const std::byte> bytes;
    std::size_t sent = 0;
};

struct StreamConnect : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

template <class Stream>
struct StreamAccept : ResultOperation<void> {
    using ResultOperation<void>::ResultOperation;
    Stream* stream = nullptr;
};

struct StreamShutdown : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

struct StreamClose : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

}  // namespace loopbench
