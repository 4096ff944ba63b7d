#include <endian.h>
#include <fmt/format.h>

#include <algorithm>

#include "harness/driver/slice.hpp"

namespace loopbench::driver {
namespace {

constexpr std::byte acknowledgement{0x06};
constexpr std::uint32_t acknowledging_connection = 0;

/// One slice of fan-in: rounds that are acknowledged as a whole.
class Rounds {
  public:
    Rounds(ConnectionSet& connections, const SliceOrder& order, Histogram& latency)
        : connections_(connections),
          order_(order),
          latency_(latency),
          window_(order.placement == Placement::lockstep ? 1 : connections.parameters().pipeline),
          share_(std::max(connections.parameters().size, connections.parameters().stream)) {}

    SliceReport run() {
        const std::uint64_t size = connections_.parameters().size;
        const std::uint64_t messages_each = share_ / size;
        const auto begin = Clock::now();
        last_answer_ = begin;
        const auto take = [this](Connection& connection, std::span<const std::byte> bytes) {
            take_acknowledgements(connection, bytes);
        };
        bool ending = false;
        do {
            while (!ending && begun_ - acknowledged_ < window_) {
                begin_round();
                // Rounds are counted out as they begin, when their number is given.
                ending = order_.rounds > 0 && begun_ == order_.rounds;
            }
            if (!connections_.wait(take)) report_silence();
            ending = ending || is_over(order_, acknowledged_, messages_each, last_answer_ - begin);
        } while (!ending || acknowledged_ < begun_);

        SliceReport report;
        report.rounds = acknowledged_;
        report.operations = acknowledged_ * connections_.active().size() * messages_each;
        report.bytes = report.operations * size;
        report.elapsed = last_answer_ - begin;
        return report;
    }

  private:
    void begin_round() {
        const std::uint64_t slot = begun_ & connections_.start_mask();
        for (Connection* connection : connections_.active()) {
            connection->starts[slot] = Clock::now();
            connection->goal += share_;
            connections_.send(*connection);
        }
        ++begun_;
    }

    void take_acknowledgements(Connection& connection, std::span<const std::byte> bytes) {
        connection.received += bytes.size();
        last_answer_ = Clock::now();
        for (const std::byte byte : bytes) {
            if (connection.number != acknowledging_connection || byte != acknowledgement ||
                acknowledged_ == begun_) {
                reject(connection, byte);
            }
            const std::uint64_t slot = acknowledged_ & connections_.start_mask();
            for (const Connection* sender : connections_.active()) {
                latency_.record((last_answer_ - sender->starts[slot]).count());
            }
            ++acknowledged_;
        }
    }

    [[noreturn]] void reject(const Connection& connection, std::byte byte) const {
        throw DriverError(
            fmt::format(
                "connection {}: the server sent 0x{:02x} with {} rounds of this slice begun "
                "and {} acknowledged",
                connection.number, std::to_integer<unsigned>(byte), begun_, acknowledged_),
            "the server is at fault: a fan-in server sends one byte 0x06 a round on connection 0, "
            "and nothing else");
    }

    [[noreturn]] void report_silence() const {
        const auto active = connections_.active();
        const auto unsent = std::count_if(active.begin(), active.end(), [](const Connection* each) {
            return each->sent < each->goal;
        });
        throw DriverError(
            fmt::format("no answer for {:g} s: {} rounds of this slice begun, {} acknowledged, {} "
                        "of {} active connections with bytes that the server has not taken",
                        std::chrono::duration<double>(order_.stall).count(), begun_, acknowledged_,
                        unsent, active.size()),
            "the server is stuck or stopped, lost bytes, or counts another number of active "
            "connections");
    }

    ConnectionSet& connections_;
    const SliceOrder& order_;
    Histogram& latency_;
    const std::uint64_t window_;
    const std::uint64_t share_;  // bytes that a sender has in a round
    std::uint64_t begun_ = 0;
    std::uint64_t acknowledged_ = 0;
    Clock::time_point last_answer_;
};

}  // namespace

SliceReport run_fanin(ConnectionSet& connections, const SliceOrder& order, Histogram& latency) {
    return Rounds(connections, order, latency).run();
}

void send_hellos(ConnectionSet& connections) {
    for (const Connection& connection : connections.all()) {
        const std::uint32_t number = htole32(connection.number);
        // Four bytes always fit into the buffer of a fresh socket.
        if (send(connection.socket.get(), &number, sizeof number, MSG_NOSIGNAL) != sizeof number) {
            throw DriverError(
                fmt::format("connection {}: the hello could not be sent", connection.number),
                "the server probably closed the connection: its standard error may "
                "say why");
        }
    }
}

}  // namespace loopbench::driver
