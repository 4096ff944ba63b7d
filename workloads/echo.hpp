#pragma once

// Echo: sends back what it receives, on any number of connections. At a client's end of file it
// sends what is still queued, ends its own side, and closes. What comes back is checked by the
// driver.

#include <cstddef>
#include <memory>
#include <span>
#include <system_error>

#include "loops/awaitables.hpp"
#include "loops/contract.hpp"
#include "loops/task.hpp"
#include "workloads/server.hpp"

namespace loopbench {

/// What all connections of an echo server share: the counters.
class EchoState {
  public:
    template <class Loop>
    EchoState(Loop&, const SocketParameters& parameters, SelfCheck&) : size_(parameters.size) {}

    void count(std::size_t bytes) noexcept {
        ++reads_;
        bytes_ += bytes;
    }
    void became_steady() noexcept { ++steady_; }
    void ended_steady() noexcept { --steady_; }

    WorkloadCounters counters() const {
        // Echo knows no messages: those of the case are counted by their size.
        return {.operations = bytes_ / size_,
                .reads = reads_,
                .bytes = bytes_,
                .steady_connections = steady_};
    }

  private:
    std::uint64_t size_;
    std::uint64_t reads_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t steady_ = 0;
};

/// What the three forms of an echo connection share.
template <class Loop, class Connection>
class EchoConnection : public ServedConnection<Loop, Connection> {
  public:
    using State = EchoState;
    using ServedConnection<Loop, Connection>::ServedConnection;

  protected:
    ~EchoConnection() {
        if (this->carried_data()) this->state().ended_steady();
    }

    void count(std::size_t bytes) noexcept {
        this->state().count(bytes);
        if (this->first_data()) this->state().became_steady();
    }
};

/// Push: written straight from the buffer that the loop lends. A client that does not read its echo
/// is not read from either, so that the memory of a connection is bounded: by the high-water mark
/// and what one turn brings.
template <class Loop>
class PushEcho final : public EchoConnection<Loop, PushEcho<Loop>>, public Protocol {
  public:
    using EchoConnection<Loop, PushEcho>::EchoConnection;

    void start() noexcept { this->stream().start_reading(*this); }

    void data_received(std::span<const std::byte> data) noexcept override {
        this->count(data.size());
        this->stream().write(data);
    }
    void eof_received() noexcept override {
        ended_ = true;
        this->finish();
    }
    void connection_lost(std::error_code) noexcept override { this->close(); }
    void pause_writing() noexcept override {
        if (!ended_) this->stream().stop_reading();
    }
    void resume_writing() noexcept override {
        if (!ended_) this->stream().start_reading(*this);
    }

  private:
    bool ended_ = false;
};

/// Pull, with callbacks: each connection has a buffer of its own of `read_buffer` bytes, from its
/// first to its last moment, because that is the price of this form; of the memory only what is
/// used becomes resident.
template <class Loop>
class PullEcho final : public EchoConnection<Loop, PullEcho<Loop>> {
  public:
    explicit PullEcho(Server<Loop, PullEcho>& server)
        : EchoConnection<Loop, PullEcho>(server),
          size_(server.parameters().read_buffer),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(size_)),
          read_(*this),
          write_(*this) {}

    void start() noexcept {
        do {
            if (this->stream().read_some(read_, {buffer_.get(), size_}) == Start::pending) return;
        } while (echo());
    }

  private:
    void read_done() noexcept {
        if (echo()) start();
    }
    void write_done() noexcept {
        if (written()) start();
    }

    /// Sends back what was read. True when the next read can follow at once.
    bool echo() noexcept {
        if (!read_.result.ok()) {
            this->close();
            return false;
        }
        const std::size_t bytes = *read_.result;
        if (bytes == 0) {
            this->finish();
            return false;
        }
        this->count(bytes);
        return this->stream().write_all(write_, {buffer_.get(), bytes}) == Start::done && written();
    }

    bool written() noexcept {
        if (!write_.result.ok()) this->close();
        return write_.result.ok();
    }

    std::size_t size_;
    std::unique_ptr<std::byte[]> buffer_;
    Bound<typename Loop::ReadOperation, PullEcho, &PullEcho::read_done> read_;
    Bound<typename Loop::WriteOperation, PullEcho, &PullEcho::write_done> write_;
};

/// Task: a coroutine for each connection, with a buffer as in the pull form.
template <class Loop>
class TaskEcho final : public EchoConnection<Loop, TaskEcho<Loop>> {
  public:
    explicit TaskEcho(Server<Loop, TaskEcho>& server)
        : EchoConnection<Loop, TaskEcho>(server),
          size_(server.parameters().read_buffer),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(size_)) {}

    void start() noexcept {
        this->hold();
        static_cast<void>(spawn(this->server().loop(), echo()));
    }

  private:
    Task<void> echo() {
        auto& stream = this->stream();
        while (stream.open()) {
            const Result<std::size_t> bytes =
                co_await read_some(stream, std::span(buffer_.get(), size_));
            if (!bytes.ok()) break;
            if (*bytes == 0) {
                static_cast<void>(co_await shutdown_write(stream));
                break;
            }
            this->count(*bytes);
            const Result<std::size_t> sent =
                co_await write_all(stream, std::span<const std::byte>(buffer_.get(), *bytes));
            if (!sent.ok()) break;
        }
        this->close();
        this->unhold();  // the last use: it may be destroyed by this
    }

    std::size_t size_;
    std::unique_ptr<std::byte[]> buffer_;
};

template <class Loop>
std::unique_ptr<Workload> make_echo(Loop& loop, const WorkloadSetup& setup) {
    switch (socket_parameters(setup.params).api) {
        case Api::pull:
            return std::make_unique<Server<Loop, PullEcho<Loop>>>(loop, setup);
        case Api::task:
            return std::make_unique<Server<Loop, TaskEcho<Loop>>>(loop, setup);
        default:
            return std::make_unique<Server<Loop, PushEcho<Loop>>>(loop, setup);
    }
}

}  // namespace loopbench
