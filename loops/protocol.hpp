#pragma once

#include <cstddef>
#include <span>
#include <system_error>

namespace loopbench {

/// What a push stream tells its owner: asyncio's Protocol. The loop calls it on its own thread,
/// never from inside a call that the owner is making on the stream, and not at all once the owner
/// has called `close`. An owner may call anything on the stream from inside, `close` included, but
/// not destroy it there.
class Protocol {
  public:
    /// Bytes arrived, at least one. `data` is lent by the loop until the call returns.
    virtual void data_received(std::span<const std::byte> data) noexcept = 0;

    /// The peer has sent its last byte (a FIN, a half-close); writing is still possible. Called
    /// once, after every byte that came before it.
    virtual void eof_received() noexcept = 0;

    /// The connection broke (`ECONNRESET`, `EPIPE`, …): nothing else will be called, nothing more
    /// can be written, what was queued is dropped. The owner still closes the stream. Called once.
    virtual void connection_lost(std::error_code error) noexcept = 0;

    /// The bytes that `write` queued have risen above the stream's high-water mark: write no more
    /// until `resume_writing`, which comes when they have fallen to a quarter of it. Advice:
    /// writing on is allowed and loses nothing.
    virtual void pause_writing() noexcept {}
    virtual void resume_writing() noexcept {}

  protected:
    ~Protocol() = default;
};

}  // namespace loopbench
