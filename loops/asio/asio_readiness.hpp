#pragma once

#include "loops/asio/asio_handler.hpp"
#include "loops/asio/asio_types.hpp"
#include "loops/contract.hpp"

namespace loopbench {

class AsioLoop;
class AsioReadiness;

/// Asio's descriptor with a wait for reading and one for writing, which may come back after the
/// watch has ended.
class AsioWatchNode {
  public:
    explicit AsioWatchNode(AsioLoop& loop);

    /// Takes over a descriptor for a watch, without owning it; gives 0 or an errno.
    int begin(int descriptor, AsioReadiness& owner) noexcept;
    /// Waits for what is wanted and not waited for yet.
    void wait_for(Interest wanted);
    /// The watch is over: the descriptor is its owner's again.
    void end() noexcept;

    AsioWatchNode* next_spare = nullptr;

  private:
    void on_readable(const boost::system::error_code& error) noexcept;
    void on_writable(const boost::system::error_code& error) noexcept;
    void happened() noexcept;
    void retire() noexcept;

    AsioLoop& loop_;
    AsioReadiness* owner_ = nullptr;
    AsioNativeDescriptor descriptor_;
    Interest waiting_ = Interest::none;
    bool dispatching_ = false;
    AsioHandlerMemory<192> read_memory_;
    AsioHandlerMemory<192> write_memory_;
};

/// A watch on a descriptor of the caller: see LoopReadiness in the contract. Asio says that
/// something may have happened, poll(2) what holds by now: Asio reports reading and writing apart,
/// and what it found before the loop was stopped only when that is run again.
class AsioReadiness {
  public:
    using Function = void (*)(AsioReadiness&, Interest) noexcept;

    AsioReadiness(AsioLoop& loop, int descriptor, Function function) noexcept
        : loop_(loop), descriptor_(descriptor), function_(function) {}
    AsioReadiness(const AsioReadiness&) = delete;
    AsioReadiness& operator=(const AsioReadiness&) = delete;
    ~AsioReadiness() { stop(); }

    Result<> start(Interest interest);
    void stop() noexcept;

  private:
    friend class AsioWatchNode;

    Interest found() const noexcept;
    void tell() noexcept;

    AsioLoop& loop_;
    int descriptor_;
    Function function_;
    Interest interest_ = Interest::none;
    AsioWatchNode* node_ = nullptr;
    std::uint64_t last_turn_ = 0;  // in which the function was called
};

}  // namespace loopbench
