#include "harness/driver/echo.hpp"
#include "harness/driver/slice.hpp"

namespace loopbench::driver {

SliceReport run_echo_lockstep(ConnectionSet& connections, const SliceOrder& order,
                              Histogram& latency) {
    const std::uint64_t size = connections.parameters().size;
    const auto active = connections.active();
    const auto begin = Clock::now();
    auto last_answer = begin;
    std::size_t unanswered = 0;
    const auto take = [&](Connection& connection, std::span<const std::byte> bytes) {
        take_echo(connections.pattern(), connection, bytes);
        if (connection.received < connection.goal) return;
        last_answer = Clock::now();
        latency.record((last_answer - connection.starts[0]).count());
        --unanswered;
    };

    SliceReport report;
    do {
        unanswered = active.size();
        for (Connection* connection : active) {
            connection->starts[0] = Clock::now();
            connection->goal += size;
            connections.send(*connection);
        }
        while (unanswered > 0) {
            if (!connections.wait(take)) report_silence(connections, order.stall);
        }
        ++report.rounds;
    } while (!is_over(order, report.rounds, 1, last_answer - begin));

    report.operations = report.rounds * active.size();
    report.bytes = report.operations * size;
    report.elapsed = last_answer - begin;
    return report;
}

}  // namespace loopbench::driver
