#include <algorithm>

#include "harness/driver/echo.hpp"
#include "harness/driver/slice.hpp"

namespace loopbench::driver {
namespace {

/// One slice of echo in which every connection goes at its own pace.
class OwnPace {
  public:
    OwnPace(ConnectionSet& connections, const SliceOrder& order, Histogram& latency)
        : connections_(connections),
          order_(order),
          latency_(latency),
          size_(connections.parameters().size),
          // With an exact number of messages nobody falls short of a minimum.
          short_of_minimum_(order.min_operations > 0 ? connections.active().size() : 0) {}

    SliceReport run() {
        const auto begin = Clock::now();
        last_answer_ = begin;
        for (Connection* connection : connections_.active()) begin_connection(*connection);
        const auto take = [this](Connection& connection, std::span<const std::byte> bytes) {
            take_answer(connection, bytes);
        };
        while (under_way_ > 0) {
            if (!connections_.wait(take)) report_silence(connections_, order_.stall);
            ending_ = order_.rounds == 0 && short_of_minimum_ == 0 &&
                      last_answer_ - begin >= order_.min_time;
        }
        return report(last_answer_ - begin);
    }

  private:
    void begin_connection(Connection& connection) {
        connection.started = 0;
        connection.completed = 0;
        connection.next_message_end = connection.received + size_;
        const auto now = Clock::now();
        for (std::uint32_t i = 0; i < connections_.parameters().pipeline; ++i) {
            start_message(connection, now);
        }
        connections_.send(connection);
    }

    /// Puts one more message under way, unless the slice is to have no more. It leaves with the
    /// next send on this connection, together with what else has become due: one system call.
    void start_message(Connection& connection, Clock::time_point now) {
        if (ending_ || (order_.rounds > 0 && connection.started == order_.rounds)) return;
        connection.starts[connection.started & connections_.start_mask()] = now;
        ++connection.started;
        connection.goal += size_;
        ++under_way_;
    }

    void take_answer(Connection& connection, std::span<const std::byte> bytes) {
        take_echo(connections_.pattern(), connection, bytes);
        if (connection.received < connection.next_message_end) return;
        last_answer_ = Clock::now();
        while (connection.received >= connection.next_message_end) {
            const auto start = connection.starts[connection.completed & connections_.start_mask()];
            latency_.record((last_answer_ - start).count());
            ++connection.completed;
            connection.next_message_end += size_;
            --under_way_;
            if (connection.completed == order_.min_operations) --short_of_minimum_;
            start_message(connection, last_answer_);
        }
    }

    SliceReport report(std::chrono::nanoseconds elapsed) const {
        SliceReport report;
        report.rounds = UINT64_MAX;
        for (const Connection* connection : connections_.active()) {
            report.operations += connection->completed;
            report.rounds = std::min(report.rounds, connection->completed);
        }
        report.bytes = report.operations * size_;
        report.elapsed = elapsed;
        return report;
    }

    ConnectionSet& connections_;
    const SliceOrder& order_;
    Histogram& latency_;
    const std::uint64_t size_;
    std::uint64_t under_way_ = 0;
    std::size_t short_of_minimum_;  // connections with fewer messages completed than they must
    bool ending_ = false;
    Clock::time_point last_answer_;
};

}  // namespace

SliceReport run_echo_split(ConnectionSet& connections, const SliceOrder& order,
                           Histogram& latency) {
    return OwnPace(connections, order, latency).run();
}

}  // namespace loopbench::driver
