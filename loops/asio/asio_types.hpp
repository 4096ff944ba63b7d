#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/wait_traits.hpp>
#include <chrono>

namespace loopbench {

/// Asio's objects with the executor of an `io_context` in their type. Its defaults, with
/// `any_io_executor`, pay for a type erasure on each operation that nobody here makes use of.
using AsioExecutor = boost::asio::io_context::executor_type;
using AsioNativeSocket =
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, AsioExecutor>;
using AsioNativeTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, AsioExecutor>;
using AsioNativeDescriptor = boost::asio::posix::basic_stream_descriptor<AsioExecutor>;

/// Whether the kernel carries out the operations (io_uring), or Asio when a descriptor is ready
/// (epoll). Asio is told by its own macros when it is compiled.
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
inline constexpr bool asio_operations_are_in_the_kernel = true;
#else
inline constexpr bool asio_operations_are_in_the_kernel = false;
#endif

/// What an operation of Asio's reported, which is not the end of a file, as an errno; 0 for
/// success. ECANCELED is a cancelled operation.
inline int errno_of(const boost::system::error_code& error) noexcept {
    return error.value();
}

}  // namespace loopbench
