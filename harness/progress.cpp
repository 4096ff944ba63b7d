#include "harness/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace loopbench {
namespace {

constexpr int bar_width = 24;
constexpr std::chrono::milliseconds redraw_interval{100};

}  // namespace

ProgressLine::ProgressLine(bool wanted)
    : wanted_(wanted && isatty(STDERR_FILENO) != 0), colour_(std::getenv("NO_COLOR") == nullptr) {}

void ProgressLine::show(double fraction, const std::string& doing) {
    const auto now = std::chrono::steady_clock::now();
    if (!wanted_ || (shown_ && now - drawn_ < redraw_interval)) return;
    const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * bar_width);
    std::string bar;
    for (int i = 0; i < bar_width; ++i) bar += i < filled ? "━" : "─";
    fmt::print(stderr, "\r\x1b[K{}{}{} {:3.0f}%  {}", colour_ ? "\x1b[36m" : "", bar,
               colour_ ? "\x1b[0m" : "", std::clamp(fraction, 0.0, 1.0) * 100, doing);
    std::fflush(stderr);
    shown_ = true;
    drawn_ = now;
}

void ProgressLine::clear() {
    if (!shown_) return;
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    shown_ = false;
}

}  // namespace loopbench
