#include <algorithm>
#include <cmath>

#include "harness/driver/echo.hpp"
#include "harness/driver/slice.hpp"

namespace loopbench::driver {
namespace {

/// One slice of echo in an open loop: messages leave when the schedule says so, whatever has come
/// back. They go to the active connections in turn, so that message i and message i + their number
/// follow one another on a connection.
class OnSchedule {
  public:
    OnSchedule(ConnectionSet& connections, const Schedule& schedule, const SliceOrder& order,
               OpenLoopHistograms histograms)
        : connections_(connections),
          schedule_(schedule),
          order_(order),
          latency_(histograms.latency),
          send_lag_(histograms.send_lag),
          size_(connections.parameters().size) {}

    SliceReport run() {
        begin_connections();
        const std::size_t messages = schedule_.times().size();
        begin_ = last_answer_ = Clock::now();
        const auto end = begin_ + schedule_.length();
        while (sent_ < messages || under_way_ > 0 || Clock::now() < end) {
            send_due();
            wait(sent_ < messages ? time_of(sent_) : end);
        }
        return report(std::max(end, last_answer_) - begin_);
    }

  private:
    void begin_connections() {
        std::size_t place = 0;
        for (Connection* connection : connections_.active()) {
            connection->completed = 0;
            connection->next_message_end = connection->received + size_;
            connection->oldest = place++;
        }
    }

    Clock::time_point time_of(std::size_t message) const {
        return begin_ + schedule_.times()[message];
    }

    /// Sends what has become due until now. All goals are raised first, so that several messages of
    /// one connection leave by one system call. The lag is the driver's own: what a full socket
    /// adds to it is the server's doing, and part of the latency only.
    void send_due() {
        const auto active = connections_.active();
        const auto now = Clock::now();
        const std::size_t first = sent_;
        for (; sent_ < schedule_.times().size() && time_of(sent_) <= now; ++sent_) {
            active[sent_ % active.size()]->goal += size_;
        }
        if (sent_ == first) return;
        // A server with nothing to answer may be silent for as long as it likes.
        if (under_way_ == 0) connections_.restart_silence();
        under_way_ += sent_ - first;
        for (std::size_t message = first; message < sent_; ++message) {
            send_lag_.record((Clock::now() - time_of(message)).count());
            connections_.send(*active[message % active.size()]);
        }
    }

    /// Waits for answers until the next message is due; when none is, for answers alone.
    void wait(Clock::time_point due) {
        const auto take = [this](Connection& connection, std::span<const std::byte> bytes) {
            take_answer(connection, bytes);
        };
        const bool is_sending = sent_ < schedule_.times().size() || under_way_ == 0;
        const bool lively =
            is_sending ? connections_.wait_until(due, take) : connections_.wait(take);
        if (!lively && under_way_ > 0) report_silence(connections_, order_.stall);
    }

    void take_answer(Connection& connection, std::span<const std::byte> bytes) {
        take_echo(connections_.pattern(), connection, bytes);
        if (connection.received < connection.next_message_end) return;
        last_answer_ = Clock::now();
        const auto since_begin = last_answer_ - begin_;
        const bool counts = since_begin >= opening() && since_begin < schedule_.length();
        while (connection.received >= connection.next_message_end) {
            latency_.record((last_answer_ - time_of(connection.oldest)).count());
            connection.oldest += connections_.active().size();
            ++connection.completed;
            connection.next_message_end += size_;
            --under_way_;
            if (counts) ++achieved_;
        }
    }

    /// The beginning of a slice is left out of the achieved rate: there the first answers are still
    /// on their way, and nothing is on its way from before.
    std::chrono::nanoseconds opening() const { return schedule_.length() / 4; }

    SliceReport report(std::chrono::nanoseconds elapsed) const {
        SliceReport report;
        report.operations = schedule_.times().size();
        report.rounds = report.operations / connections_.active().size();
        report.bytes = report.operations * size_;
        report.elapsed = elapsed;
        report.open_loop = OpenLoopReport{offered_after_opening(), achieved_};
        return report;
    }

    std::uint64_t offered_after_opening() const {
        const auto times = schedule_.times();
        return static_cast<std::uint64_t>(times.end() -
                                          std::lower_bound(times.begin(), times.end(), opening()));
    }

    ConnectionSet& connections_;
    const Schedule& schedule_;
    const SliceOrder& order_;
    Histogram& latency_;
    Histogram& send_lag_;
    const std::uint64_t size_;
    std::size_t sent_ = 0;         // messages of the schedule handed to their sockets
    std::uint64_t under_way_ = 0;  // of these, not yet come back
    std::uint64_t achieved_ = 0;   // come back between the opening and the slice's end
    Clock::time_point begin_;
    Clock::time_point last_answer_;
};

}  // namespace

std::size_t messages_of(const SliceOrder& order, const CaseParameters& parameters) {
    const std::uint64_t each = order.rounds > 0 ? order.rounds : order.min_operations;
    const std::uint64_t by_count = std::max<std::uint64_t>(1, each * parameters.active);
    if (order.rounds > 0) return by_count;
    const double by_time = std::chrono::duration<double>(order.min_time).count() *
                           static_cast<double>(parameters.rate);
    return std::max(by_count, static_cast<std::uint64_t>(std::ceil(by_time)));
}

SliceReport run_echo_open(ConnectionSet& connections, const Schedule& schedule,
                          const SliceOrder& order, OpenLoopHistograms histograms) {
    return OnSchedule(connections, schedule, order, histograms).run();
}

}  // namespace loopbench::driver
