#pragma once

#include <cassert>
#include <cstdint>
#include <exception>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

namespace loopbench {

/// How an awaited operation or task ended.
enum class Outcome : std::uint8_t {
    success,
    error,      ///< the system said no: an errno value
    cancelled,  ///< somebody asked for it
    timed_out,  ///< a `with_timeout` around it ran out
    exception,  ///< the task's body threw something else
};

/// Thrown by `Result::value()` when the operation was cancelled. A task that lets it escape ends
/// cancelled, which is asyncio's `CancelledError`.
class Cancelled : public std::exception {
  public:
    const char* what() const noexcept override { return "cancelled"; }
};

/// Thrown by `Result::value()` when the operation ran into a timeout.
class TimedOut : public std::exception {
  public:
    const char* what() const noexcept override { return "timed out"; }
};

/// Why something did not succeed. A value: cheap to pass on, and nothing is thrown.
class Failure {
  public:
    static Failure cancelled() noexcept { return Failure(Outcome::cancelled, 0); }
    static Failure timed_out() noexcept { return Failure(Outcome::timed_out, 0); }
    /// `error_number` is an errno value, and not 0.
    static Failure from_errno(int error_number) noexcept {
        assert(error_number > 0);
        return Failure(Outcome::error, error_number);
    }
    /// What a task's body threw: `Cancelled`, `TimedOut` and system errors become their own
    /// outcome.
    static Failure from_exception(std::exception_ptr thrown) noexcept {
        try {
            std::rethrow_exception(thrown);
        } catch (const Cancelled&) {
            return cancelled();
        } catch (const TimedOut&) {
            return timed_out();
        } catch (const std::system_error& error) {
            // Only an errno survives as a number; other categories keep their exception.
            if (error.code().value() > 0 && (error.code().category() == std::system_category() ||
                                             error.code().category() == std::generic_category())) {
                return from_errno(error.code().value());
            }
        } catch (...) {
        }
        Failure failure(Outcome::exception, 0);
        failure.exception_ = std::move(thrown);
        return failure;
    }

    Outcome outcome() const noexcept { return outcome_; }
    /// The errno as an error code; empty unless the outcome is `error`.
    std::error_code error() const noexcept {
        return std::error_code(error_number_, std::system_category());
    }

    /// Throws what this failure stands for.
    [[noreturn]] void raise() const {
        switch (outcome_) {
            case Outcome::cancelled:
                throw Cancelled();
            case Outcome::timed_out:
                throw TimedOut();
            case Outcome::exception:
                std::rethrow_exception(exception_);
            default:
                throw std::system_error(error());
        }
    }

  private:
    template <class T>
    friend class Result;

    Failure(Outcome outcome, int error_number) noexcept
        : error_number_(error_number), outcome_(outcome) {}

    std::exception_ptr exception_;  // only with Outcome::exception
    int error_number_;
    Outcome outcome_;
};

/// A value, or the reason why there is none. `T` is an object type; `Result<>` has no value.
template <class T = void>
class [[nodiscard]] Result {
  public:
    Result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : value_(std::move(value)), has_value_(true) {}
    Result(Failure failure) noexcept : failure_(std::move(failure)), has_value_(false) {}

    Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        : has_value_(other.has_value_) {
        if (has_value_) {
            new (&value_) T(std::move(other.value_));
        } else {
            new (&failure_) Failure(std::move(other.failure_));
        }
    }
    Result& operator=(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        if (this != &other) {
            const bool has_value = other.has_value_;
            this->~Result();
            has_value_ = has_value;
            if (has_value) {
                new (&value_) T(std::move(other.value_));
            } else {
                new (&failure_) Failure(std::move(other.failure_));
            }
        }
        return *this;
    }
    ~Result() {
        if (has_value_) {
            value_.~T();
        } else {
            failure_.~Failure();
        }
    }

    bool ok() const noexcept { return has_value_; }
    explicit operator bool() const noexcept { return has_value_; }
    Outcome outcome() const noexcept { return has_value_ ? Outcome::success : failure_.outcome(); }
    bool cancelled() const noexcept { return outcome() == Outcome::cancelled; }
    bool timed_out() const noexcept { return outcome() == Outcome::timed_out; }
    /// The errno as an error code; empty unless the outcome is `error`.
    std::error_code error() const noexcept {
        return has_value_ ? std::error_code() : failure_.error();
    }
    /// Why there is no value; must not be asked of a success.
    const Failure& failure() const noexcept {
        assert(!has_value_);
        return failure_;
    }

    /// The value; throws `Cancelled`, `TimedOut`, `std::system_error` or the task's own exception
    /// when there is none (about 1 µs and an allocation: hot paths ask `ok()` instead).
    T& value() & {
        if (!has_value_) failure_.raise();
        return value_;
    }
    T value() && {
        if (!has_value_) failure_.raise();
        return std::move(value_);
    }
    /// The value, which must be there.
    T& operator*() noexcept {
        assert(has_value_);
        return value_;
    }
    const T& operator*() const noexcept {
        assert(has_value_);
        return value_;
    }
    T* operator->() noexcept { return &**this; }

  private:
    union {
        T value_;
        Failure failure_;
    };
    bool has_value_;
};

/// The result of what succeeds without a value.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() noexcept : failure_(Outcome::success, 0) {}
    Result(Failure failure) noexcept : failure_(std::move(failure)) {}

    bool ok() const noexcept { return outcome() == Outcome::success; }
    explicit operator bool() const noexcept { return ok(); }
    Outcome outcome() const noexcept { return failure_.outcome(); }
    bool cancelled() const noexcept { return outcome() == Outcome::cancelled; }
    bool timed_out() const noexcept { return outcome() == Outcome::timed_out; }
    std::error_code error() const noexcept { return ok() ? std::error_code() : failure_.error(); }
    const Failure& failure() const noexcept {
        assert(!ok());
        return failure_;
    }
    void value() const {
        if (!ok()) failure_.raise();
    }

  private:
    Failure failure_;  // with the outcome of a success, too: so nothing is larger for it
};

}  // namespace loopbench
