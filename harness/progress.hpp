#pragma once

#include <chrono>
#include <string>

namespace loopbench {

/// One line on standard error that shows how far a run is; nothing at all when standard error is no
/// terminal, or the user said --no-progress.
class ProgressLine {
  public:
    explicit ProgressLine(bool wanted);
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// Draws it anew, at most ten times a second: drawing takes time on a machine that measures.
    void show(double fraction, const std::string& doing);
    /// Takes it away, before other text is written.
    void clear();

  private:
    bool wanted_;
    bool colour_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point drawn_;
};

}  // namespace loopbench
