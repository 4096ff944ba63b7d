#pragma once

// Streams over Unix sockets. A batch goes over many connections at once: the system calls at the
// plain ends, which cost as much as the loop does, would otherwise be inside what is timed, or the
// stopping of the clock around each of them.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <deque>
#include <span>
#include <stdexcept>
#include <system_error>

#include "harness/micro/connections.hpp"
#include "workloads/bound.hpp"

namespace loopbench::micro {

/// Below FD_SETSIZE with both ends, so that `select` can do it.
inline constexpr std::int64_t bytes_a_batch = 128;

/// Timed: turns of the loop that find a byte on each of 128 connections, receive it and call
/// `data_received`. Not timed: sending them.
template <class Loop>
void read_byte(benchmark::State& state) {
    class Reader final : public Protocol {
      public:
        explicit Reader(Loop& loop) : countdown(loop) {}
        void data_received(std::span<const std::byte> data) noexcept override {
            countdown.happened(static_cast<std::int64_t>(data.size()));
        }
        void eof_received() noexcept override { give_up(); }
        void connection_lost(std::error_code) noexcept override { give_up(); }

        Countdown<Loop> countdown;
        bool lost = false;

      private:
        void give_up() noexcept {
            lost = true;
            countdown.begin(1);
            countdown.happened();
        }
    };

    Loop loop{LoopOptions{}};
    Reader reader(loop);
    Connections<Loop> connections(loop, bytes_a_batch);
    for (auto& stream : connections.streams()) stream.start_reading(reader);
    while (state.KeepRunningBatch(bytes_a_batch)) {
        state.PauseTiming();
        reader.countdown.begin(bytes_a_batch);
        connections.send_bytes();
        state.ResumeTiming();
        reader.countdown.run_to_end();
        if (reader.lost) throw std::runtime_error("a connection was lost");
    }
}

/// Writes one byte to its stream, from a callback of its own.
template <class Loop>
class ByteWriter {
  public:
    ByteWriter(typename Loop::Stream& stream, Countdown<Loop>& countdown)
        : stream_(stream), countdown_(countdown) {}

    Operation& operation() noexcept { return begin_; }
    /// Throws when the last write was no success.
    void check() const {
        if (!write_.result.ok()) throw std::system_error(write_.result.error(), "writing a byte");
    }

  private:
    void begin() noexcept {
        static constexpr std::byte byte{'x'};
        if (stream_.write_all(write_, std::span(&byte, 1)) == Start::done) countdown_.happened();
    }
    void written() noexcept { countdown_.happened(); }

    typename Loop::Stream& stream_;
    Countdown<Loop>& countdown_;
    Bound<Operation, ByteWriter, &ByteWriter::begin> begin_{*this};
    Bound<typename Loop::WriteOperation, ByteWriter, &ByteWriter::written> write_{*this};
};

/// Timed: on each of 128 connections a callback from the ready queue writes a byte by `write_all`,
/// until all have completed, be it at once or in a later turn. Not timed: receiving them.
template <class Loop>
void write_byte(benchmark::State& state) {
    Loop loop{LoopOptions{}};
    Countdown<Loop> countdown(loop);
    Connections<Loop> connections(loop, bytes_a_batch);
    std::deque<ByteWriter<Loop>> writers;
    for (auto& stream : connections.streams()) writers.emplace_back(stream, countdown);
    while (state.KeepRunningBatch(bytes_a_batch)) {
        countdown.begin(bytes_a_batch);
        for (auto& writer : writers) loop.post(writer.operation());
        countdown.run_to_end();
        state.PauseTiming();
        for (const auto& writer : writers) writer.check();
        connections.receive_bytes();
        state.ResumeTiming();
    }
}

/// Timed, all of it: a connection over a Unix socket is made, accepted, and closed at both ends,
/// one after the other, by one task of the loop.
template <class Loop>
void connect_accept_close(benchmark::State& state) {
    const auto come_and_go = [](Loop& loop, const Endpoint& endpoint,
                                benchmark::State& its_state) -> Task<void> {
        typename Loop::Listener listener(loop);
        listener.listen(endpoint, {}).value();
        while (its_state.KeepRunning()) {
            typename Loop::Stream client(loop);
            typename Loop::Stream server(loop);
            Result<> connected = co_await connect(client, endpoint);
            connected.value();
            Result<> accepted = co_await accept(listener, server);
            accepted.value();
            static_cast<void>(co_await close(client));
            static_cast<void>(co_await close(server));
        }
        static_cast<void>(co_await close(listener));
    };
    Loop loop{LoopOptions{}};
    const SocketPath path;
    run_to_end(loop, come_and_go(loop, path.endpoint(), state));
}

}  // namespace loopbench::micro
