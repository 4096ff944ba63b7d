#include "harness/driver/session.hpp"

#include <fmt/format.h>
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
              {"open_loop",
               "Poisson arrivals drawn beforehand, connections in turn; epoll_pwait2 "
               "until the next, 1 ns of timer slack; latency from the schedule"},
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

/// What the answer to an open-loop slice holds beyond those of the others.
void add_open_loop(json& done, const OpenLoopReport& report, std::uint64_t rate,
                   const Histogram& send_lag) {
    json& metrics = done["metrics"];
    metrics["offered_rate"] = rate;
    if (report.offered > 0) {
        const double share =
            static_cast<double>(report.achieved) / static_cast<double>(report.offered);
        metrics["achieved_share"] = share;
        metrics["achieved_rate"] = share * static_cast<double>(rate);
    }
    done["histograms"]["send_lag"] = send_lag.to_json();
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
    // Not the stream of numbers by which the active connections were chosen.
    if (parameters.rate > 0) schedule_.emplace(~parameters.seed);
    connections_ = std::move(connections);
    return answer;
}

void Session::draw_schedule(const SliceOrder& order) {
    // Times and what they are drawn with, 16 bytes a message.
    constexpr std::size_t most_messages = 16'000'000;
    if (order.placement != Placement::split) {
        throw DriverError("slice: an open loop (rate) in lockstep placement",
                          "drive an open loop in split placement");
    }
    const CaseParameters& parameters = connections_->parameters();
    const std::size_t messages = messages_of(order, parameters);
    if (messages > most_messages) {
        throw DriverError(fmt::format("slice: {} messages to schedule, and {} are the most",
                                      messages, most_messages),
                          "give shorter slices or a lower rate");
    }
    schedule_->draw(messages, parameters.rate);
}

SliceReport Session::run(const SliceOrder& order) {
    ConnectionSet& connections = *connections_;
    if (connections.parameters().workload == Workload::fanin) {
        return run_fanin(connections, order, latency_);
    }
    if (schedule_) return run_echo_open(connections, *schedule_, order, {latency_, send_lag_});
    return order.placement == Placement::lockstep ? run_echo_lockstep(connections, order, latency_)
                                                  : run_echo_split(connections, order, latency_);
}

json Session::slice(const json& request) {
    if (!connections_) {
        throw DriverError("slice without connections",
                          "send connect first; after a slice that failed, start another driver");
    }
    const SliceOrder order = parse_slice(request);
    if (schedule_) draw_schedule(order);
    latency_.clear();
    send_lag_.clear();
    SliceReport report;
    const std::int64_t cpu_before_ns = thread_cpu_ns();
    try {
        connections_->set_longest_silence(order.stall);
        report = run(order);
    } catch (...) {
        connections_.reset();  // with bytes under way nothing can be counted on them any more
        throw;
    }
    const std::int64_t cpu_ns = thread_cpu_ns() - cpu_before_ns;
    json done{{"type", "done"},
              {"operations", report.operations},
              {"rounds", report.rounds},
              {"bytes", report.bytes},
              {"elapsed_ns", report.elapsed.count()},
              {"cpu_ns", cpu_ns},
              {"idle_connections", connections_->idle_count()},
              {"histograms", {{"latency", latency_.to_json()}}}};
    if (report.open_loop) {
        add_open_loop(done, *report.open_loop, connections_->parameters().rate, send_lag_);
    }
    return done;
}

}  // namespace loopbench::driver
