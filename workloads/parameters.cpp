#include "workloads/parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>

#include "workloads/workload.hpp"

namespace loopbench {
namespace {

constexpr std::uint64_t most_connections = 1'000'000;
constexpr std::uint64_t most_bytes = 1 << 30;

}  // namespace

ParameterReader::ParameterReader(const nlohmann::json& params) : params_(params) {
    if (!params.is_object()) {
        throw WorkloadError(fmt::format("params is {}", params.dump()),
                            "an object with the parameters by name would do");
    }
}

const nlohmann::json* ParameterReader::find(std::string_view name) const {
    const auto found = params_.find(name);
    return found == params_.end() ? nullptr : &*found;
}

void ParameterReader::reject(std::string_view name, std::string_view value,
                             std::string_view what_would_do) {
    throw WorkloadError(fmt::format("parameter {} is {}", name, value),
                        fmt::format("{} would do", what_would_do));
}

std::uint64_t ParameterReader::number(std::string_view name, std::uint64_t preset,
                                      std::uint64_t least, std::uint64_t most) const {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return preset;
    // A negative number must not come back as a large one.
    if (value->is_number_unsigned() ||
        (value->is_number_integer() && value->get<std::int64_t>() >= 0)) {
        const auto number = value->get<std::uint64_t>();
        if (number >= least && number <= most) return number;
    }
    reject(name, value->dump(), fmt::format("a whole number from {} to {}", least, most));
}

bool ParameterReader::flag(std::string_view name, bool preset) const {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return preset;
    if (!value->is_boolean()) reject(name, value->dump(), "true or false");
    return value->get<bool>();
}

std::string ParameterReader::text(std::string_view name, std::string_view preset) const {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return std::string(preset);
    if (!value->is_string()) reject(name, value->dump(), "a text");
    return value->get<std::string>();
}

std::size_t ParameterReader::choice(std::string_view name,
                                    std::span<const std::string_view> choices) const {
    const std::string value = text(name, choices.front());
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (choices[i] == value) return i;
    }
    reject(name, fmt::format("\"{}\"", value), fmt::format("{}", fmt::join(choices, " or ")));
}

SocketParameters socket_parameters(const nlohmann::json& params) {
    constexpr std::array<std::string_view, 3> apis{"push", "pull", "task"};
    const ParameterReader reader(params);
    SocketParameters result;
    result.connections =
        static_cast<std::uint32_t>(reader.number("connections", 64, 1, most_connections));
    result.active = static_cast<std::uint32_t>(
        reader.number("active", result.connections, 1, result.connections));
    result.size = reader.number("size", result.size, 1, most_bytes);
    result.stream = reader.number("stream", 0, 0, most_bytes);
    result.api = static_cast<Api>(reader.choice("api", apis));
    result.read_buffer = loop_options(params).read_buffer;
    result.listen.backlog = static_cast<int>(reader.number("backlog", 4096, 1, most_connections));
    result.listen.socket.no_delay = reader.flag("no_delay", true);
    result.listen.socket.send_buffer =
        static_cast<int>(reader.number("send_buffer", 0, 0, most_bytes));
    result.listen.socket.receive_buffer =
        static_cast<int>(reader.number("receive_buffer", 0, 0, most_bytes));
    return result;
}

LoopOptions loop_options(const nlohmann::json& params) {
    const ParameterReader reader(params);
    LoopOptions result;
    result.read_buffer = reader.number("read_buffer", result.read_buffer, 1, most_bytes);
    result.poll_interval = static_cast<unsigned>(
        reader.number("poll_interval", result.poll_interval, 1, 1'000'000'000));
    return result;
}

}  // namespace loopbench
