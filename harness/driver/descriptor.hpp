#pragma once

#include <unistd.h>

#include <utility>

namespace loopbench::driver {

/// Owns a file descriptor.
class Descriptor {
  public:
    Descriptor() noexcept = default;
    explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~Descriptor() {
        if (descriptor_ >= 0) close(descriptor_);
    }

    /// -1 when there is none.
    int get() const noexcept { return descriptor_; }

  private:
    int descriptor_ = -1;
};

}  // namespace loopbench::driver
