#pragma once

// The parameters of references, which offer less than a loop does. What they do not offer is an
// error that says so, and never done in some other way.

#include <initializer_list>
#include <string_view>

#include "workloads/parameters.hpp"
#include "workloads/pingpong.hpp"

namespace loopbench {

/// The parameters of a socket workload, for the reference of this name, whose form is `push`: bytes
/// are dealt with where they were received. Throws `WorkloadError`.
SocketParameters push_parameters(const nlohmann::json& params, std::string_view reference);

/// The parameters of ping-pong, of which the reference has some variants only. Throws
/// `WorkloadError`.
PingPongParameters ping_pong_parameters(const nlohmann::json& params, std::string_view reference,
                                        std::initializer_list<PingPongParameters::Variant> offered);

}  // namespace loopbench
