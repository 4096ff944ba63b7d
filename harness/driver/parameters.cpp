#include "harness/driver/parameters.hpp"

#include <fmt/format.h>

#include <climits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "harness/driver/errors.hpp"

namespace loopbench::driver {
namespace {

using nlohmann::json;

constexpr std::uint64_t max_connections = 1'000'000;
constexpr std::uint64_t max_bytes = std::uint64_t{1} << 40;
constexpr std::uint64_t max_pipeline = 1'000'000;
constexpr std::uint64_t max_rate = 1'000'000'000;
// Start times kept for latency, 8 bytes each.
constexpr std::uint64_t max_under_way = 16'000'000;
constexpr std::uint64_t least_stall_ns = 1'000'000;
constexpr std::uint64_t default_stall_ns = 10'000'000'000;

/// The members of one JSON object, read with checks.
class Members {
  public:
    Members(const json& object, std::string_view where) : object_(object), where_(where) {
        if (!object.is_object()) {
            throw DriverError(fmt::format("{} is not a JSON object", where),
                              "docs/protocol.md shows the form of each request");
        }
    }

    bool has(const char* name) const { return object_.contains(name); }

    std::string text(const char* name) const {
        const auto member = object_.find(name);
        if (member == object_.end() || !member->is_string()) reject(name, "a string");
        return member->get<std::string>();
    }

    /// Without `otherwise` the member must be there.
    std::uint64_t number(const char* name, std::uint64_t least, std::uint64_t most,
                         std::optional<std::uint64_t> otherwise = std::nullopt) const {
        const auto member = object_.find(name);
        if (member == object_.end() && otherwise) return *otherwise;
        if (member == object_.end() || !member->is_number_unsigned() ||
            member->get<std::uint64_t>() < least || member->get<std::uint64_t>() > most) {
            reject(name, fmt::format("a whole number from {} to {}", least, most));
        }
        return member->get<std::uint64_t>();
    }

    bool flag(const char* name, bool otherwise) const {
        const auto member = object_.find(name);
        if (member == object_.end()) return otherwise;
        if (!member->is_boolean()) reject(name, "true or false");
        return member->get<bool>();
    }

    const json& object(const char* name) const {
        const auto member = object_.find(name);
        if (member == object_.end() || !member->is_object()) reject(name, "an object");
        return *member;
    }

    [[noreturn]] void reject(const char* name, std::string_view wanted) const {
        const auto member = object_.find(name);
        throw DriverError(
            fmt::format("{}: '{}' is {}", where_, name,
                        member == object_.end()
                            ? "missing"
                            : member->dump(-1, ' ', false, json::error_handler_t::replace)),
            fmt::format("{} must be {}", name, wanted));
    }

  private:
    const json& object_;
    std::string_view where_;
};

}  // namespace

CaseParameters parse_connect(const json& request) {
    const Members members(request, "connect");
    const Members params(members.object("params"), "connect: params");
    CaseParameters parameters;

    const std::string workload = members.text("workload");
    if (workload == "fanin") {
        parameters.workload = Workload::fanin;
    } else if (workload != "echo") {
        members.reject("workload", "\"echo\" or \"fanin\": the driver serves socket workloads");
    }
    parameters.address_text = members.text("address");
    try {
        parameters.address = parse_address(parameters.address_text);
    } catch (const std::invalid_argument& error) {
        throw DriverError(error.what(), "give the address that the SUT answered to setup");
    }
    parameters.seed = members.number("seed", 0, UINT64_MAX, 0);

    const std::uint64_t connections = params.number("connections", 1, max_connections);
    const std::uint64_t active = params.number("active", 0, connections, 0);
    const std::uint64_t size = params.number("size", 1, max_bytes);
    const std::uint64_t pipeline = params.number("pipeline", 1, max_pipeline, 1);
    const bool fanin = parameters.workload == Workload::fanin;
    const std::uint64_t stream = params.number("stream", 0, fanin ? max_bytes : 0, 0);
    parameters.rate = params.number("rate", 0, fanin ? 0 : max_rate, 0);
    parameters.connections = static_cast<std::uint32_t>(connections);
    parameters.active = static_cast<std::uint32_t>(active == 0 ? connections : active);
    parameters.size = size;
    parameters.pipeline = static_cast<std::uint32_t>(pipeline);
    parameters.stream = (stream + size - 1) / size * size;
    if (parameters.active * pipeline > max_under_way) {
        params.reject("pipeline",
                      fmt::format("at most {} with {} active connections",
                                  max_under_way / parameters.active, parameters.active));
    }

    parameters.no_delay = params.flag("no_delay", true);
    parameters.send_buffer = static_cast<int>(params.number("send_buffer", 0, INT_MAX, 0));
    parameters.receive_buffer = static_cast<int>(params.number("receive_buffer", 0, INT_MAX, 0));
    parameters.backlog = static_cast<std::uint32_t>(params.number("backlog", 0, INT_MAX, 0));
    return parameters;
}

SliceOrder parse_slice(const json& request) {
    const Members members(request, "slice");
    SliceOrder order;
    const std::string placement = members.text("placement");
    if (placement == "split") {
        order.placement = Placement::split;
    } else if (placement != "lockstep") {
        members.reject("placement", "\"lockstep\" or \"split\"");
    }
    if (members.has("rounds")) {
        order.rounds = members.number("rounds", 1, UINT32_MAX);
    } else {
        order.min_time = std::chrono::nanoseconds(members.number("min_ns", 0, INT64_MAX));
        order.min_operations = members.number("min_operations_per_connection", 0, UINT32_MAX, 0);
    }
    order.stall = std::chrono::nanoseconds(
        members.number("stall_ns", least_stall_ns, INT64_MAX, default_stall_ns));
    return order;
}

}  // namespace loopbench::driver
