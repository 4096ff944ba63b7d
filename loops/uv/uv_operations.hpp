#pragma once

#include <uv.h>

#include <cstddef>
#include <span>

#include "loops/contract.hpp"

namespace loopbench {

class UvStream;

/// The operations of the libuv loop. libuv's requests for writing and shutting down belong to the
/// connection instead, because libuv cannot give them back when the operation is cancelled.
struct UvReadOperation : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    std::span<std::byte> buffer;
};

struct UvWriteOperation : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    std::size_t size = 0;
};

struct UvConnectOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
    uv_connect_t request;
};

struct UvAcceptOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
    UvStream* stream = nullptr;
};

struct UvShutdownOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

struct UvCloseOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

}  // namespace loopbench
