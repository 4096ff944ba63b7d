#pragma once

#include <cstddef>
#include <span>

#include "loops/contract.hpp"

namespace loopbench {

class AsioStream;

/// The operations of the Asio loop. Asio's own lie with the socket, since they may come back after
/// an operation of the contract has ended.
struct AsioReadOperation : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    std::span<std::byte> buffer;
};

struct AsioWriteOperation : ResultOperation<std::size_t> {
    using ResultOperation::ResultOperation;
    std::span<const std::byte> bytes;
    std::size_t sent = 0;
};

struct AsioConnectOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

struct AsioAcceptOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
    AsioStream* stream = nullptr;
};

struct AsioShutdownOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

struct AsioCloseOperation : ResultOperation<void> {
    using ResultOperation::ResultOperation;
};

}  // namespace loopbench
