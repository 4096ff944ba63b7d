#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "workloads/parameters.hpp"
#include "workloads/pattern.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// What a fan-in has received on all its connections, and when an acknowledgement is due.
class Intake {
  public:
    Intake(const SocketParameters& parameters, SelfCheck& check);

    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    /// Acknowledgements that are due since this was last asked.
    std::uint64_t take_due() noexcept { return std::exchange(due_, 0); }

    /// Without the number of open connections.
    WorkloadCounters counters() const;

  private:
    friend class Sender;

    void received(std::uint64_t bytes, std::uint64_t messages) noexcept {
        bytes_ += bytes;
        messages_ += messages;
        unacknowledged_ += by_bytes_ ? bytes : messages;
        while (unacknowledged_ >= round_) {
            unacknowledged_ -= round_;
            ++due_;
        }
    }

    Pattern pattern_;
    SelfCheck& check_;
    std::uint64_t size_;
    bool by_bytes_;        // with `stream`, a round is counted in bytes, otherwise in messages
    std::uint64_t round_;  // of which so many
    std::uint64_t unacknowledged_ = 0;
    std::uint64_t due_ = 0;
    std::uint64_t reads_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t steady_ = 0;
    std::vector<bool> seen_;  // by connection number
};

/// One sender of a fan-in, as its receiver sees it: says its number, then sends messages of the
/// connection's pattern. Checks that.
class Sender {
  public:
    explicit Sender(Intake& intake) noexcept : intake_(intake) {}
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    ~Sender() {
        if (carried_data_) --intake_.steady_;
    }

    /// Takes one delivery: one comparison, some counting. False when it is wrong: the connection
    /// has nothing more to say then.
    bool receive(std::span<const std::byte> data) noexcept {
        if (!known() && !receive_hello(data)) return false;
        if (data.empty()) return true;
        if (data.size() > intake_.pattern_.longest() ||
            !intake_.pattern_.matches(position_, data)) {
            return wrong_bytes();
        }
        if (!carried_data_) {
            carried_data_ = true;
            ++intake_.steady_;
        }
        ++intake_.reads_;
        position_ = (position_ + data.size()) % Pattern::period;
        partial_ += data.size();
        std::uint64_t messages = 0;
        if (partial_ == intake_.size_) {  // the common case, without a division
            messages = 1;
            partial_ = 0;
        } else if (partial_ > intake_.size_) {
            messages = partial_ / intake_.size_;
            partial_ %= intake_.size_;
        }
        intake_.received(data.size(), messages);
        return true;
    }

    /// The peer has sent its last byte; it must have been the last one of a message.
    void end() noexcept;

    /// Whether it has said its number, and which.
    bool known() const noexcept { return hello_bytes_ == hello_.size(); }
    std::uint32_t number() const noexcept { return number_; }

  private:
    /// Takes the hello off the front of `data`. False when it is wrong.
    bool receive_hello(std::span<const std::byte>& data) noexcept;
    bool wrong_bytes() noexcept;

    Intake& intake_;
    std::array<std::byte, 4> hello_{};
    std::size_t hello_bytes_ = 0;
    std::uint32_t number_ = 0;
    std::size_t position_ = 0;   // in the pattern's period
    std::uint64_t partial_ = 0;  // bytes of the message that has begun
    bool carried_data_ = false;
};

}  // namespace loopbench
