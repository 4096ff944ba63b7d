#pragma once

#include <cstddef>

#include "loops/asio/asio_handler.hpp"
#include "loops/asio/asio_types.hpp"
#include "loops/description.hpp"

namespace loopbench {

class AsioLoop;
class AsioTimer;

/// Asio's timer with one wait on it. A wait that is cancelled calls its handler all the same,
/// later: until then the node is nobody's, and a timer that is started anew takes another.
struct AsioTimerNode {
    explicit AsioTimerNode(AsioLoop& loop);

    void wait_until(TimePoint deadline);

    AsioLoop& loop;
    AsioTimer* owner = nullptr;
    AsioTimerNode* next_spare = nullptr;

  private:
    friend class AsioTimer;
    void expired(const boost::system::error_code& error) noexcept;

    AsioNativeTimer timer_;
    AsioHandlerMemory<160> memory_;
};

/// Asio's timer, corrected to meet the contract: Asio runs the handler of a timer that was due when
/// it was cancelled, and says that it has expired.
class AsioTimer {
  public:
    using Function = void (*)(AsioTimer&) noexcept;

    AsioTimer(AsioLoop& loop, Function function) noexcept : loop_(loop), function_(function) {}
    AsioTimer(const AsioTimer&) = delete;
    AsioTimer& operator=(const AsioTimer&) = delete;
    ~AsioTimer() { cancel(); }

    void start_after(Duration delay);
    void start_at(TimePoint deadline);
    void cancel() noexcept;
    bool pending() const noexcept { return node_ != nullptr; }

  private:
    friend struct AsioTimerNode;

    AsioLoop& loop_;
    Function function_;
    AsioTimerNode* node_ = nullptr;
};

}  // namespace loopbench
