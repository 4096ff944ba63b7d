#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace loopbench::driver {

/// A request that the driver could not carry out: the protocol's `error` answer.
class DriverError : public std::runtime_error {
  public:
    DriverError(const std::string& what, std::string remedy)
        : std::runtime_error(what), remedy_(std::move(remedy)) {}

    const std::string& remedy() const noexcept { return remedy_; }

  private:
    std::string remedy_;
};

/// Nobody will read an answer any more: standard input was closed in the middle of a slice.
class HarnessGone : public std::exception {
  public:
    const char* what() const noexcept override { return "standard input was closed"; }
};

}  // namespace loopbench::driver
