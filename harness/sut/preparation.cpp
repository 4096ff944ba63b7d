#include "harness/sut/preparation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/sut/descriptor_limit.hpp"
#include "workloads/parameters.hpp"

namespace loopbench {
namespace {

/// The next message, waiting for it; nothing at the end.
std::optional<nlohmann::json> await_message(ControlChannel& control) {
    for (;;) {
        if (const auto line = control.next()) return parse_message(*line);
        if (control.ended()) return std::nullopt;
        control.fill();
    }
}

std::string answer_before_setup(const nlohmann::json& message, const SutFacts& facts) {
    const std::string type = type_of(message);
    try {
        if (type == "describe") {
            parse_keys(message, facts);
            return description_message(facts);
        }
    } catch (const WorkloadError& error) {
        return error_message(error.what(), error.remedy());
    }
    return error_message(fmt::format("'{}' came before a setup", type),
                         "describe, setup or quit would do");
}

}  // namespace

void prepare_process() noexcept {
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
}

bool await_setup(ControlChannel& control, const SutFacts& facts, nlohmann::json& setup) {
    while (const auto message = await_message(control)) {
        const std::string type = type_of(*message);
        if (type == "quit") return false;
        if (type == "setup") {
            setup = *message;
            return true;
        }
        control.send(answer_before_setup(*message, facts));
    }
    return false;
}

void await_quit(ControlChannel& control) {
    while (const auto message = await_message(control)) {
        if (type_of(*message) == "quit") return;
        control.send(error_message("the setup has failed", "quit, and start the program anew"));
    }
}

void make_watchable(int input) {
    struct stat status {};
    fstat(input, &status);
    if (S_ISREG(status.st_mode)) {
        throw WorkloadError("standard input is a file, which no loop can watch",
                            "give the requests through a pipe: cat FILE | …");
    }
    const int flags = fcntl(input, F_GETFL);
    if (flags < 0 || fcntl(input, F_SETFL, flags | O_NONBLOCK) < 0) {
        throw WorkloadError(fmt::format("standard input cannot be made non-blocking: {}",
                                        std::system_category().message(errno)),
                            "give the requests through a pipe");
    }
}

LoopOptions options_for(const SetupRequest& request, const nlohmann::json& params) {
    LoopOptions options = loop_options(params);
    options.keys = request.keys;
    return options;
}

std::vector<std::string> deviations_of(const LoopDescription& loop, const LoopOptions& options) {
    std::vector<std::string> deviations;
    // The default asks for nothing that a loop with an interval of its own would miss.
    if (!loop.settable_poll_interval && options.poll_interval != LoopOptions().poll_interval) {
        deviations.emplace_back("poll_interval");
    }
    return deviations;
}

void check_connections(const SetupRequest& request, const nlohmann::json& params,
                       const LoopDescription& loop) {
    if (request.listen.empty()) return;
    require_descriptors(socket_parameters(params).connections, loop.descriptor_limit);
}

void report_malformed(ControlChannel& control, const MalformedMessage& error) {
    std::fputs(fmt::format("loopbench-sut: on standard input, {}\n", error.what()).c_str(), stderr);
    control.send(error_message(error.what(), "one JSON object with a type on each line would do"));
}

}  // namespace loopbench
