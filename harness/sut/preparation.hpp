#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

#include "harness/sut/control_channel.hpp"
#include "harness/sut/messages.hpp"

namespace loopbench {

/// What the process needs before anything else: interrupts are left to the harness (Ctrl-C reaches
/// the whole foreground group), a peer who is gone is an error and no signal, and as many
/// descriptors as the process may have.
void prepare_process() noexcept;

/// Answers requests until a `setup` comes; waits for each. False when the end came instead. Throws
/// `MalformedMessage`.
bool await_setup(ControlChannel& control, const SutFacts& facts, nlohmann::json& setup);

/// After a failure: answers with an error until `quit` or the end comes.
void await_quit(ControlChannel& control);

/// Makes the input one that a loop can watch. Throws `WorkloadError`.
void make_watchable(int input);

/// The loop's options for a `setup`, and what of it the loop cannot apply.
LoopOptions options_for(const SetupRequest& request, const nlohmann::json& params);
std::vector<std::string> deviations_of(const LoopDescription& loop, const LoopOptions& options);

/// Checks that the process and the loop can have the connections that a socket workload is about to
/// get. Throws `WorkloadError`.
void check_connections(const SetupRequest& request, const nlohmann::json& params,
                       const LoopDescription& loop);

/// Says on standard error, and as an answer, why the process ends.
void report_malformed(ControlChannel& control, const MalformedMessage& error);

}  // namespace loopbench
