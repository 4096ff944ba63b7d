#include "harness/workload_parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "harness/errors.hpp"
#include "harness/nearest.hpp"

namespace loopbench {
namespace {

using Type = Parameter::Type;
using nlohmann::json;

constexpr std::int64_t mebibyte = 1 << 20;

/// The same default in both socket workloads.
std::map<std::string, json> sockets(const json& preset) {
    return {{"echo", preset}, {"fanin", preset}};
}

std::vector<Parameter> make_parameters() {
    return {
        {"connections",
         Type::integer,
         "connections that are open",
         {{"echo", 64}, {"fanin", 256}},
         1,
         1'000'000,
         {}},
        {"active",
         Type::integer,
         "connections that carry traffic, the others stay idle (all)",
         sockets(nullptr),
         1,
         1'000'000,
         {}},
        {"size", Type::integer, "bytes in a message", sockets(64), 1, 64 * mebibyte, {}},
        {"transport", Type::choice, "kind of socket", sockets("unix"), 0, 0, {"unix", "tcp"}},
        {"api",
         Type::choice,
         "how the loop is used",
         sockets("push"),
         0,
         0,
         {"push", "pull", "task"}},
        {"pipeline",
         Type::integer,
         "messages under way on a connection, in split placement",
         sockets(1),
         1,
         1024,
         {}},
        {"rate",
         Type::rate,
         "operations a second by schedule (open loop, in split placement), or 50% of the closed "
         "loop's; 0: closed loop",
         {{"echo", 0}},
         0,
         10'000'000,
         {}},
        {"stream",
         Type::integer,
         "bytes that a sender lets flow in a round; 0: one message",
         {{"fanin", 0}},
         0,
         1024 * mebibyte,
         {}},
        {"read_buffer",
         Type::integer,
         "bytes that a read may deliver at once",
         sockets(65536),
         1,
         64 * mebibyte,
         {}},
        {"send_buffer",
         Type::integer,
         "SO_SNDBUF of every socket; 0 leaves the kernel's",
         sockets(0),
         0,
         1024 * mebibyte,
         {}},
        {"receive_buffer",
         Type::integer,
         "SO_RCVBUF of every socket; 0 leaves the kernel's",
         sockets(0),
         0,
         1024 * mebibyte,
         {}},
        {"no_delay", Type::boolean, "TCP_NODELAY on every socket", sockets(true), 0, 0, {}},
        {"backlog",
         Type::integer,
         "connections that may wait to be accepted",
         sockets(4096),
         1,
         65535,
         {}},
        {"pending",
         Type::integer,
         "timers that are pending",
         {{"timers", 100000}},
         1,
         10'000'000,
         {}},
        {"mix",
         Type::mix,
         "proportion start:cancel:expire of the storm",
         {{"timers", "1:1:1"}},
         0,
         1000,
         {}},
        {"tasks",
         Type::integer,
         "tasks that hand the token round, or wait at once",
         {{"pingpong", 2}, {"timeout", 100}},
         2,
         1'000'000,
         {}},
        {"variant",
         Type::choice,
         "how a task gives way to the next",
         {{"pingpong", "callback"}},
         0,
         0,
         {"callback", "yield", "event", "cancel", "cancel-throw", "spawn"}},
        {"poll_interval",
         Type::integer,
         "callbacks between two polls of the kernel, at the least",
         {{"pingpong", 61}, {"cooperative", 1}, {"cancel", 1}},
         1,
         1'000'000'000,
         {}},
        {"spin_us",
         Type::integer,
         "microseconds that a task keeps the loop from the others",
         {{"cooperative", 10'000}},
         10,
         10'000'000,
         {}},
        {"await_every_us",
         Type::integer,
         "microseconds after which it gives way meanwhile; 0: never",
         {{"cooperative", 0}},
         0,
         10'000'000,
         {}},
        {"wait",
         Type::choice,
         "what a task waits for when it is cancelled",
         {{"cancel", "event"}},
         0,
         0,
         {"event", "sleep", "read"}},
        {"outcome",
         Type::choice,
         "what comes first, the limit or the end of the task",
         {{"timeout", "expires"}},
         0,
         0,
         {"expires", "met"}},
    };
}

[[noreturn]] void refuse(const Parameter& parameter, std::string_view value,
                         std::string_view wanted) {
    throw UsageError(fmt::format("{}={}: {}", parameter.flag(), value, wanted));
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

json parse_integer(const Parameter& parameter, const std::string& text) {
    const auto number = whole_number(text);
    if (!number || *number < parameter.least || *number > parameter.most) {
        refuse(parameter, text,
               fmt::format("give one whole number from {} to {}", parameter.least, parameter.most));
    }
    return *number;
}

json parse_mix(const Parameter& parameter, const std::string& text) {
    std::int64_t sum = 0;
    int parts = 0;
    for (std::size_t start = 0; start <= text.size(); ++parts) {
        const std::size_t colon = std::min(text.find(':', start), text.size());
        const auto number = whole_number(std::string_view(text).substr(start, colon - start));
        if (!number || *number < parameter.least || *number > parameter.most) sum = -1;
        if (sum < 0) break;
        sum += *number;
        start = colon + 1;
    }
    if (sum <= 0 || parts != 3) {
        refuse(parameter, text,
               "give three whole numbers start:cancel:expire, such as 1:1:1, each at most 1000");
    }
    return text;
}

/// A rate in percent stays a text, without needless digits, until the maximum is known.
json parse_rate(const Parameter& parameter, const std::string& text) {
    constexpr double most_percent = 200;
    const auto number = whole_number(text);
    if (number && *number >= parameter.least && *number <= parameter.most) return *number;
    double percent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
    const bool is_share = error == std::errc() && std::string_view(end) == "%" && percent > 0 &&
                          percent <= most_percent;
    if (!is_share) {
        refuse(parameter, text,
               fmt::format("give one number of operations a second, at most {}, or a share of the "
                           "maximum from above 0% to {}%",
                           parameter.most, most_percent));
    }
    return fmt::format("{:g}%", percent);
}

json parse_value(const Parameter& parameter, const std::string& text) {
    switch (parameter.type) {
        case Type::integer:
            return parse_integer(parameter, text);
        case Type::mix:
            return parse_mix(parameter, text);
        case Type::rate:
            return parse_rate(parameter, text);
        case Type::boolean:
            if (text == "true" || text == "false") return text == "true";
            refuse(parameter, text, "give true or false");
        case Type::choice:
            break;
    }
    const auto& choices = parameter.choices;
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
        refuse(parameter, text, suggestion(text, choices));
    }
    return text;
}

/// The flags of the parameters that a workload has.
std::vector<std::string> flags_of(const WorkloadInfo& workload) {
    std::vector<std::string> flags;
    for (const Parameter& parameter : all_parameters()) {
        if (parameter.defaults.contains(workload.name)) flags.push_back(parameter.flag());
    }
    return flags;
}

/// What one parameter alone does not tell.
void check_together(const WorkloadInfo& workload, json& resolved) {
    if (!workload.sockets) return;
    if (resolved["active"].is_null()) resolved["active"] = resolved["connections"];
    const auto connections = resolved["connections"].get<std::int64_t>();
    const auto active = resolved["active"].get<std::int64_t>();
    if (active > connections) {
        throw UsageError(
            fmt::format("--active={}: there are only {} connections; give at most "
                        "that, or more --connections",
                        active, connections));
    }
    const bool by_schedule = resolved.contains("rate") && resolved["rate"] != 0;
    if (by_schedule && resolved["pipeline"] != 1) {
        throw UsageError(fmt::format(
            "--pipeline={}: with --rate messages leave by schedule, however many are under way; "
            "leave one of the two away",
            resolved["pipeline"].get<std::int64_t>()));
    }
    constexpr std::int64_t most_under_way = 4096 * mebibyte;
    const auto size = resolved["size"].get<std::int64_t>();
    if (size * active > most_under_way) {
        throw UsageError(
            fmt::format("--size={}: with {} active connections that is more than "
                        "4 GiB under way; give at most --size={}",
                        size, active, most_under_way / active));
    }
}

}  // namespace

const std::vector<WorkloadInfo>& all_workloads() {
    static const std::vector<WorkloadInfo> workloads{
        {"echo", "connections that each send a message and wait for it to come back", "round trip",
         true, "cpu_ns_per_op", "", "bare"},
        {"fanin", "many senders, one loop that consumes and checks", "message", true,
         "cpu_ns_per_op", "", "bare"},
        {"timers", "a storm of timers that start, are cancelled and expire", "timer operation",
         false, "cpu_ns_per_op", "", "normaliser"},
        {"pingpong", "tasks that pass a token through the ready queue", "switch", false,
         "cpu_ns_per_switch", "post", "normaliser"},
        {"cooperative", "a timer and an echo beside a task that spins", "round", false,
         "cpu_ns_per_op", "", "epoll"},
        {"cancel", "tasks that are cancelled while they wait", "cancelled task", false,
         "cpu_ns_per_op", "", "epoll"},
        {"timeout", "tasks that wait under a time limit", "wait", false, "cpu_ns_per_op", "",
         "epoll"},
    };
    return workloads;
}

const WorkloadInfo& find_workload(std::string_view flag, std::string_view name) {
    std::vector<std::string> names;
    for (const WorkloadInfo& workload : all_workloads()) {
        if (workload.name == name) return workload;
        names.push_back(workload.name);
    }
    if (name.find(',') != std::string_view::npos) {
        throw UsageError(
            fmt::format("{}={}: one workload is wanted here, not a list; such as {}={}", flag, name,
                        flag, names.front()));
    }
    throw UsageError(
        fmt::format("{}={}: there is no such workload; {}", flag, name, suggestion(name, names)));
}

std::string Parameter::flag() const {
    std::string text = "--" + name;
    std::replace(text.begin(), text.end(), '_', '-');
    return text;
}

const std::vector<Parameter>& all_parameters() {
    static const std::vector<Parameter> parameters = make_parameters();
    return parameters;
}

json resolve_parameters(const WorkloadInfo& workload,
                        const std::map<std::string, std::string>& given) {
    json resolved = json::object();
    for (const Parameter& parameter : all_parameters()) {
        const auto preset = parameter.defaults.find(workload.name);
        const auto value = given.find(parameter.name);
        if (preset != parameter.defaults.end()) {
            resolved[parameter.name] =
                value == given.end() ? preset->second : parse_value(parameter, value->second);
        } else if (value != given.end()) {
            throw UsageError(fmt::format("{}={}: {} has no such parameter; it takes {}",
                                         parameter.flag(), value->second, workload.name,
                                         fmt::join(flags_of(workload), ", ")));
        }
    }
    check_together(workload, resolved);
    return resolved;
}

}  // namespace loopbench
