#pragma once

#include <algorithm>
#include <cstdint>

namespace loopbench::injection {

/// Makes a thread use a stated share more processor time than it would, for tests of what is to
/// notice that: `before` and `after` stand around each call in which the thread may sleep, and once
/// in a while `before` spins for the share of what the thread has used since.
///
/// The share is of what the thread used without the injection, and what is added is all that the
/// injection itself uses: reading the clocks is taken out of the former and counted to the latter,
/// at its cost measured in the beginning, and what a spin had too much is made up for by the next.
/// So in total exactly the share is added, as long as the readings cost less.
///
/// `Clocks` has `cpu_ns()`, processor time of the thread, and `quick_ns()`, any time that is read
/// quickly. To be used by one thread.
template <class Clocks>
class Injector {
  public:
    /// `share` of 0.02 adds 2%; 0 adds nothing, not even readings.
    Injector(double share, Clocks clocks) : clocks_(clocks), share_(share) {
        if (share_ <= 0) return;
        cpu_cost_ = cost_of([this] { return clocks_.cpu_ns(); });
        quick_cost_ = cost_of([this] { return clocks_.quick_ns(); });
        // Spins of 20 us at the least, beside which two readings of the processor's clock (system
        // calls, of half a microsecond) are little, in their number too; and of 200 us at the most,
        // unless that would be oftener than needed.
        const double longest = std::min(1'000'000.0, 200'000 / share_);
        interval_ns_ = static_cast<std::uint64_t>(std::max(longest, 20'000 / share_));
        settled_ns_ = clocks_.cpu_ns();
        resumed_ns_ = clocks_.quick_ns();
    }

    void before() noexcept {
        if (share_ <= 0 || ++skipped_ < stride_) return;
        skipped_ = 0;
        calls_ += stride_;
        ran_ns_ += read_quick() - resumed_ns_;
        if (ran_ns_ >= interval_ns_) settle();
    }

    /// What passed since `before` was sleep, if anything much, and does not bring the next spin
    /// nearer.
    void after() noexcept {
        if (share_ > 0 && skipped_ == 0) resumed_ns_ = read_quick();
    }

  private:
    /// What a reading costs: the least of many, since a reading may be interrupted.
    template <class Read>
    static std::uint64_t cost_of(const Read& read) {
        std::uint64_t cost = UINT64_MAX;
        std::uint64_t last = read();
        for (int i = 0; i < 100; ++i) {
            const std::uint64_t now = read();
            cost = std::min(cost, now - last);
            last = now;
        }
        return cost;
    }

    std::uint64_t read_quick() noexcept {
        ++quick_readings_;
        return clocks_.quick_ns();
    }

    void settle() noexcept {
        // Between two readings of the processor's clock lie the end of one and the beginning of the
        // other: together one reading.
        const std::uint64_t now = clocks_.cpu_ns();
        const std::uint64_t own = cpu_cost_ + quick_readings_ * quick_cost_;
        const std::uint64_t used = now - settled_ns_;
        const double natural = used > own ? static_cast<double>(used - own) : 0;
        debt_ns_ += share_ * natural - static_cast<double>(own);
        settled_ns_ = now;
        // A spin during which the thread lost the processor is followed by another.
        while (debt_ns_ > static_cast<double>(cpu_cost_)) {
            spin(debt_ns_ - static_cast<double>(cpu_cost_));
            const std::uint64_t spun_ns = clocks_.cpu_ns();
            debt_ns_ -= static_cast<double>(spun_ns - settled_ns_);
            settled_ns_ = spun_ns;
        }
        // Calls that follow one another so closely do not sleep: then some readings can be saved.
        constexpr double close_ns = 1000;
        stride_ = natural < close_ns * calls_ ? 16 : 1;
        ran_ns_ = 0;
        calls_ = 0;
        quick_readings_ = 0;
    }

    /// By the quick clock: reading the other would add system calls to what is measured.
    void spin(double duration_ns) noexcept {
        const std::uint64_t begin = clocks_.quick_ns();
        while (static_cast<double>(clocks_.quick_ns() - begin) < duration_ns) {
        }
    }

    Clocks clocks_;
    double share_;
    std::uint64_t cpu_cost_ = 0;
    std::uint64_t quick_cost_ = 0;
    std::uint64_t interval_ns_ = 0;  // of running, from one spin to the next
    std::uint64_t settled_ns_ = 0;   // processor time up to which the share has been added
    std::uint64_t resumed_ns_ = 0;   // when the thread last came back from a call
    std::uint64_t ran_ns_ = 0;       // by the quick clock, since the last spin
    std::uint64_t quick_readings_ = 0;
    double debt_ns_ = 0;  // to be added yet; negative when too much was
    unsigned calls_ = 0;
    unsigned stride_ = 1;  // of so many calls one reads the clock
    unsigned skipped_ = 0;
};

}  // namespace loopbench::injection
