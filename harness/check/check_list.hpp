#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace loopbench {

enum class CheckOutcome : std::uint8_t {
    held,
    failed,
    skipped,  ///< there was nothing to check: what is not offered need not work
    note,     ///< nothing that the protocol asks for, but good to know
};

/// What is to hold, and what to do where it does not.
struct Expectation {
    std::string expected;
    std::string remedy;
};

/// What one check of a program came to.
struct CheckResult {
    CheckOutcome outcome = CheckOutcome::held;
    std::string check;                    ///< what was looked at
    std::string told;                     ///< what came; of a check that held it may be empty
    Expectation wanted;                   ///< of a check that failed; else empty
    std::vector<std::string> last_lines;  ///< likewise, of the program's standard error
};

/// A step found something else than what is to hold; the text is what came.
class CheckFailed : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A step found nothing to check; the text says why.
class CheckSkipped : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Checks, done one after the other, and told as soon as each is done.
class CheckList {
  public:
    using Teller = std::function<void(const CheckResult& result)>;
    explicit CheckList(Teller tell) : tell_(std::move(tell)) {}

    /// Does `step`, which gives what it saw, or throws CheckFailed or CheckSkipped. A ProcessError
    /// of the step is a failure, too, after which its process is of no more use: false then.
    bool check(const std::string& what, const Expectation& wanted,
               const std::function<std::string()>& step);
    /// That at least one form of a workload that the program offers is not refused.
    void check_offered(const std::string& workload, bool offered, const std::string& refusal);
    void skip(const std::string& what, const std::string& why);
    void note(const std::string& what, const std::string& text);

    const std::vector<CheckResult>& results() const noexcept { return results_; }
    std::size_t count(CheckOutcome outcome) const;

  private:
    void add(CheckResult result);

    Teller tell_;
    std::vector<CheckResult> results_;
};

/// "ok", "FAILED", "skipped", "note".
std::string name_of(CheckOutcome outcome);

/// One line, with the program's last lines below it where it failed.
std::string format_check(const CheckResult& result);

nlohmann::json to_json(const CheckResult& result);

}  // namespace loopbench
