#pragma once

// Fan-in: N senders, one loop that takes in what they send and checks it (intake.hpp). A round of
// `active` messages is acknowledged by one byte on connection number 0.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "loops/awaitables.hpp"
#include "loops/contract.hpp"
#include "loops/task.hpp"
#include "workloads/intake.hpp"
#include "workloads/server.hpp"

namespace loopbench {

/// Sends the acknowledgements, on the stream of connection number 0 once there is one.
template <class Loop>
class Acknowledger {
  public:
    explicit Acknowledger(Api api) : pushes_(api == Api::push), write_(*this) {
        bytes_.fill(std::byte{0x06});
    }

    void use(typename Loop::Stream& stream) noexcept {
        stream_ = &stream;
        send();
    }
    /// The stream is going away.
    void forget(typename Loop::Stream& stream) noexcept {
        if (stream_ == &stream) stream_ = nullptr;
    }

    void acknowledge(std::uint64_t count) noexcept {
        due_ += count;
        send();
    }

  private:
    void send() noexcept {
        while (due_ > 0 && !writing_ && stream_ != nullptr && stream_->open()) {
            const std::size_t count = std::min<std::uint64_t>(due_, bytes_.size());
            const std::span<const std::byte> bytes(bytes_.data(), count);
            due_ -= count;
            if (pushes_) {
                stream_->write(bytes);
            } else {
                writing_ = stream_->write_all(write_, bytes) == Start::pending;
            }
        }
    }
    void written() noexcept {
        writing_ = false;
        send();
    }

    std::array<std::byte, 64> bytes_;
    bool pushes_;  // by `write`; the other forms have one `write_all` in flight at most
    typename Loop::Stream* stream_ = nullptr;
    std::uint64_t due_ = 0;
    bool writing_ = false;
    Bound<typename Loop::WriteOperation, Acknowledger, &Acknowledger::written> write_;
};

/// What all connections of a fan-in share.
template <class Loop>
class FaninState {
  public:
    FaninState(Loop&, const SocketParameters& parameters, SelfCheck& check)
        : intake(parameters, check), acknowledger(parameters.api) {}

    WorkloadCounters counters() const { return intake.counters(); }

    Intake intake;
    Acknowledger<Loop> acknowledger;
};

/// What the three forms of a fan-in connection share.
template <class Loop, class Connection>
class FaninConnection : public ServedConnection<Loop, Connection> {
  public:
    using State = FaninState<Loop>;

    explicit FaninConnection(Server<Loop, Connection>& server)
        : ServedConnection<Loop, Connection>(server), sender_(server.state().intake) {}

  protected:
    ~FaninConnection() { this->state().acknowledger.forget(this->stream()); }

    /// Checks and counts one delivery. False when the connection was closed for being wrong.
    bool consume(std::span<const std::byte> data) noexcept {
        if (!sender_.receive(data)) {
            this->close();
            return false;
        }
        if (!known_) become_known();
        if (const std::uint64_t due = this->state().intake.take_due(); due > 0) {
            this->state().acknowledger.acknowledge(due);
        }
        return true;
    }

    void sender_ended() noexcept { sender_.end(); }

  private:
    void become_known() noexcept {
        if (!sender_.known()) return;
        known_ = true;
        if (sender_.number() == 0) this->state().acknowledger.use(this->stream());
    }

    Sender sender_;
    bool known_ = false;
};

/// Push: checked in the buffer that the loop lends.
template <class Loop>
class PushFanin final : public FaninConnection<Loop, PushFanin<Loop>>, public Protocol {
  public:
    using FaninConnection<Loop, PushFanin>::FaninConnection;

    void start() noexcept { this->stream().start_reading(*this); }

    void data_received(std::span<const std::byte> data) noexcept override { this->consume(data); }
    void eof_received() noexcept override {
        this->sender_ended();
        this->finish();
    }
    void connection_lost(std::error_code) noexcept override { this->close(); }
};

/// Pull, with callbacks, and a buffer of `read_buffer` bytes for each connection: it must be there
/// while the read waits.
template <class Loop>
class PullFanin final : public FaninConnection<Loop, PullFanin<Loop>> {
  public:
    explicit PullFanin(Server<Loop, PullFanin>& server)
        : FaninConnection<Loop, PullFanin>(server),
          size_(server.parameters().read_buffer),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(size_)),
          read_(*this) {}

    void start() noexcept {
        do {
            if (this->stream().read_some(read_, {buffer_.get(), size_}) == Start::pending) return;
        } while (take());
    }

  private:
    void read_done() noexcept {
        if (take()) start();
    }

    /// Consumes what was read. True when there may be more.
    bool take() noexcept {
        if (!read_.result.ok()) {
            this->close();
            return false;
        }
        if (*read_.result == 0) {
            this->sender_ended();
            this->finish();
            return false;
        }
        return this->consume({buffer_.get(), *read_.result});
    }

    std::size_t size_;
    std::unique_ptr<std::byte[]> buffer_;
    Bound<typename Loop::ReadOperation, PullFanin, &PullFanin::read_done> read_;
};

/// Task: a coroutine for each connection, with a buffer as in the pull form.
template <class Loop>
class TaskFanin final : public FaninConnection<Loop, TaskFanin<Loop>> {
  public:
    explicit TaskFanin(Server<Loop, TaskFanin>& server)
        : FaninConnection<Loop, TaskFanin>(server),
          size_(server.parameters().read_buffer),
          buffer_(std::make_unique_for_overwrite<std::byte[]>(size_)) {}

    void start() noexcept {
        this->hold();
        static_cast<void>(spawn(this->server().loop(), receive()));
    }

  private:
    Task<void> receive() {
        auto& stream = this->stream();
        while (stream.open()) {
            const Result<std::size_t> bytes =
                co_await read_some(stream, std::span(buffer_.get(), size_));
            if (!bytes.ok()) break;
            if (*bytes == 0) {
                this->sender_ended();
                static_cast<void>(co_await shutdown_write(stream));
                break;
            }
            if (!this->consume({buffer_.get(), *bytes})) break;
        }
        this->close();
        this->unhold();  // the last use: it may be destroyed by this
    }

    std::size_t size_;
    std::unique_ptr<std::byte[]> buffer_;
};

template <class Loop>
std::unique_ptr<Workload> make_fanin(Loop& loop, const WorkloadSetup& setup) {
    switch (socket_parameters(setup.params).api) {
        case Api::pull:
            return std::make_unique<Server<Loop, PullFanin<Loop>>>(loop, setup);
        case Api::task:
            return std::make_unique<Server<Loop, TaskFanin<Loop>>>(loop, setup);
        default:
            return std::make_unique<Server<Loop, PushFanin<Loop>>>(loop, setup);
    }
}

}  // namespace loopbench
