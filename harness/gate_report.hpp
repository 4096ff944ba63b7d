#pragma once

#include <string>
#include <vector>

#include "harness/gate_rule.hpp"

namespace loopbench {

/// How a gate was made, for its reports.
struct GateForm {
    std::string name;                           ///< "against", "baseline", "aa"
    std::string reference;                      ///< what the build is judged by, in words
    std::string inconclusive = "inconclusive";  ///< what the exit code makes of it: or pass, fail
};

/// What the gate says as a whole: REGRESSION if any cell does, else INCONCLUSIVE if any is, else
/// PASS.
Decision overall(const std::vector<JudgedCell>& cells);

/// For people: the decision in a sentence, then a row a cell.
std::string format_gate(const GateForm& form, const std::vector<JudgedCell>& cells);

/// The same as GitHub's markdown, for a comment on a pull request.
std::string format_gate_markdown(const GateForm& form, const std::vector<JudgedCell>& cells);

/// The `gate` member of the result file.
nlohmann::json gate_json(const GateForm& form, const std::vector<JudgedCell>& cells);

/// What a gate of a build against itself tells of the machine: for each cell how much its blocks
/// scatter, the smallest slowdown that `blocks` blocks find with probability 0.95, and the blocks,
/// and seconds at `block_seconds` each, that its margin needs.
struct Detection {
    const JudgedCell* cell = nullptr;
    int blocks = 0;
    double block_seconds = 0;
};
std::string format_detection(const std::vector<Detection>& detections, std::size_t cells);
nlohmann::json detection_json(const std::vector<Detection>& detections, std::size_t cells);

}  // namespace loopbench
