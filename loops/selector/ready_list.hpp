#pragma once

#include <cstddef>
#include <vector>

#include "loops/selector/descriptor.hpp"

namespace loopbench {

/// What a wait of poll(2) or select(2) found, kept apart from the tables that callbacks change
/// while it is handed out.
class ReadyList {
  public:
    void clear() noexcept {
        events_.clear();
        next_ = 0;
    }
    void add(Descriptor& descriptor, Ready ready) { events_.push_back({&descriptor, ready}); }
    std::size_t size() const noexcept { return events_.size(); }

    Descriptor* next(Ready& ready) noexcept {
        while (next_ < events_.size()) {
            const Event& event = events_[next_++];
            if (event.descriptor == nullptr) continue;  // forgotten
            ready = event.ready;
            return event.descriptor;
        }
        return nullptr;
    }

    /// Drops what has not been handed out for this descriptor.
    void forget(const Descriptor& descriptor) noexcept {
        for (std::size_t i = next_; i < events_.size(); ++i) {
            if (events_[i].descriptor == &descriptor) events_[i].descriptor = nullptr;
        }
    }

  private:
    struct Event {
        Descriptor* descriptor;
        Ready ready;
    };
    std::vector<Event> events_;
    std::size_t next_ = 0;
};

}  // namespace loopbench
