#include "harness/driver_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace loopbench {

DriverProcess::DriverProcess(std::string who, const ChildOptions& options,
                             const StopSignals& signals, const Patience& patience)
    : conversation_(std::move(who), options, signals), patience_(patience) {}

nlohmann::json DriverProcess::describe() {
    return conversation_.ask({{"type", "describe"}, {"keys", nlohmann::json::object()}},
                             "description", patience_.answer);
}

void DriverProcess::connect(const std::string& workload, const std::string& address,
                            std::uint64_t seed, const nlohmann::json& params,
                            Conversation* server) {
    conversation_.ask({{"type", "connect"},
                       {"workload", workload},
                       {"address", address},
                       {"seed", seed},
                       {"params", params}},
                      "connected", patience_.answer, server);
}

SliceAnswer DriverProcess::slice(Placement placement, const SliceWork& work, Conversation* server) {
    nlohmann::json message{{"type", "slice"}, {"placement", name_of(placement)}};
    if (work.rounds > 0) {
        message["rounds"] = work.rounds;
    } else {
        message["min_ns"] = work.min_time.count();
        message["min_operations_per_connection"] = work.min_operations_per_connection;
    }
    // The driver knows which connection is waiting for how much, so it is to lose patience first.
    constexpr std::chrono::nanoseconds longest_stall = std::chrono::seconds(10);
    const std::chrono::nanoseconds stall = patience_.slice / 2;
    message["stall_ns"] = std::min(stall, longest_stall).count();
    const auto timeout =
        patience_.slice + std::chrono::ceil<std::chrono::milliseconds>(10 * work.min_time);
    const nlohmann::json done = conversation_.ask(message, "done", timeout, server);
    try {
        return read_slice_answer(done);
    } catch (const std::invalid_argument& error) {
        conversation_.fail(fmt::format("sent a histogram that cannot be read: {}", error.what()));
    }
}

}  // namespace loopbench
