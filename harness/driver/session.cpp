#include "harness/driver/session.hpp"

#include <time.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/driver/errors.hpp"
#include "harness/driver/parameters.hpp"
#include "harness/driver/slice.hpp"
#include "harness/driver/version.hpp"

namespace loopbench::driver {
namespace {

using nlohmann::json;

constexpr int protocol_version = 1;

json description() {
#ifdef NDEBUG
    constexpr bool assertions = false;
#else
    constexpr bool assertions = true;
#endif
    return {{"type", "description"},
            {"protocol", protocol_version},
            {"name", "loopbench-driver"},
            {"library", "loopbench"},
            {"version", driver_version},
            {"available", true},
            {"build",
             {{"compiler", "GCC " __VERSION__},
              {"flags", LOOPBENCH_BUILD_FLAGS},
              {"assertions", assertions},
              {"sanitizers", LOOPBENCH_BUILD_SANITIZERS}}},
            {"operations", json::object()},
            {"fairness",
             {{"waiting", "epoll_wait, edge-triggered, registered once; never spins"},
              {"write", "send at once; writability watched from the first full buffer on"},
              {"latency", "from before send to after recv, one clock reading each"},
              {"checking", "every byte, one memcmp a receive"}}},
            {"capabilities", json::object()},
            {"workloads", {"echo", "fanin"}},
            {"keys", json::array()}};
}

std::int64_t thread_cpu_ns() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

SliceReport run(ConnectionSet& connections, const SliceOrder& order, Histogram& latency) {
    if (connections.parameters().workload == Workload::fanin) {
        return run_fanin(connections, order, latency);
    }
    return order.placement == Placement::lockstep ? run_echo_lockstep(connections, order, latency)
                                                  : run_echo_split(connections, order, latency);
}

}  // namespace

json error_answer(const std::string& what, const std::string& remedy) {
    return {{"type", "error"}, {"what", what}, {"remedy", remedy}};
}

std::optional<json> Session::answer(const json& request) {
    try {
        const std::string type =
            request.is_object() && request.contains("type") && request["type"].is_string()
                ? request["type"].get<std::string>()
                : std::string();
        if (type == "quit") return std::nullopt;
        if (type == "describe") return description();
        if (type == "connect") return connect(request);
        if (type == "slice") return slice(request);
        throw DriverError("a request of the unknown type '" + type + "'",
                          "the driver knows describe, connect, slice and quit");
    } catch (const DriverError& error) {
        return error_answer(error.what(), error.remedy());
    } catch (const std::system_error& error) {
        return error_answer(error.what(), "the operating system refused: is a limit reached?");
    } catch (const std::bad_alloc&) {
        return error_answer("not enough memory", "use fewer connections or a shorter pipeline");
    }
}

json Session::connect(const json& request) {
    if (connections_) {
        throw DriverError("connect came a second time",
                          "start another driver for another set of connections");
    }
    auto connections = std::make_unique<ConnectionSet>(parse_connect(request));
    const CaseParameters& parameters = connections->parameters();
    if (parameters.workload == Workload::fanin) send_hellos(*connections);
    const json answer{{"type", "connected"},
                      {"connections", parameters.connections},
                      {"active", parameters.active},
                      {"stream", parameters.stream}};
    connections_ = std::move(connections);
    return answer;
}

json Session::slice(const json& request) {
    if (!connections_) {
        throw DriverError("slice without connections",
                          "send connect first; after a slice that failed, start another driver");
    }
    const SliceOrder order = parse_slice(request);
    latency_.clear();
    SliceReport report;
    const std::int64_t cpu_before_ns = thread_cpu_ns();
    try {
        connections_->set_longest_silence(order.stall);
        report = run(*connections_, order, latency_);
    } catch (...) {
        connections_.reset();  // with bytes under way nothing can be counted on them any more
        throw;
    }
    const std::int64_t cpu_ns = thread_cpu_ns() - cpu_before_ns;
    return {{"type", "done"},
            {"operations", report.operations},
            {"rounds", report.rounds},
            {"bytes", report.bytes},
            {"elapsed_ns", report.elapsed.count()},
            {"cpu_ns", cpu_ns},
            {"idle_connections", connections_->idle_count()},
            {"histograms", {{"latency", latency_.to_json()}}}};
}

}  // namespace loopbench::driver
