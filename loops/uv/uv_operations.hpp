#pragma once

#include <uv.h>

#include <cstddef>
#include <span>

#include "loops/contract.hpp"

namespace loopbench {

class UvStream;

/// The operations of the libuv loop carry libuv's requests, so that none is allocated.
struct UvReadOperation : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    std::span<std::byte> buffer;
};

struct UvWriteOperation : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    uv_write_t request;
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
    uv_shutdown_t request;
};

struct UvCloseOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

}  // namespace loopbench
