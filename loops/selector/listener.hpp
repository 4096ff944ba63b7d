#pragma once

#include "loops/accept_side.hpp"
#include "loops/selector/selector_loop.hpp"

namespace loopbench {

/// A listening socket of a selector loop: see LoopListener in the contract.
template <class Selector>
class SelectorLoop<Selector>::Listener
    : private Descriptor,
      public AcceptSide<typename SelectorLoop<Selector>::Listener, SelectorLoop<Selector>,
                        typename SelectorLoop<Selector>::Stream, AcceptOperation> {
    using Accepting = AcceptSide<typename SelectorLoop<Selector>::Listener, SelectorLoop<Selector>,
                                 typename SelectorLoop<Selector>::Stream, AcceptOperation>;
    friend Accepting;

  public:
    explicit Listener(SelectorLoop& loop) noexcept
        : Descriptor(&on_ready_event), Accepting(loop), loop_(loop) {}
    ~Listener() { release_descriptor(); }

    SelectorLoop& loop() const noexcept { return loop_; }

    void close(CloseOperation& operation) noexcept {
        release_descriptor();
        operation.result = {};
        loop_.post(operation);
    }

  private:
    static void on_ready_event(Descriptor& descriptor, Ready) noexcept {
        static_cast<Listener&>(descriptor).somebody_is_there();
    }

    int descriptor() const noexcept { return fd; }
    int begin_watching(Fd socket) noexcept {
        fd = socket.get();
        if (const int error = loop_.add(*this, Interest::readable)) {
            fd = -1;
            return error;
        }
        socket.release();
        return 0;
    }
    void await_connection() noexcept { loop_.watch(*this, Interest::readable); }
    void await_nobody() noexcept { loop_.watch(*this, Interest::none); }

    void release_descriptor() noexcept {
        Accepting::stop_accepting();
        if (fd < 0) return;
        loop_.remove_closing(*this);
        interest = Interest::none;
        ::close(std::exchange(fd, -1));
    }

    SelectorLoop& loop_;
};

}  // namespace loopbench
