#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "harness/child.hpp"
#include "harness/errors.hpp"
#include "harness/line_channel.hpp"
#include "harness/signals.hpp"

namespace loopbench {

/// One process that speaks the control protocol (docs/protocol.md): requests go in, each gives one
/// answer, checked against harness/protocol.schema.json. Every other behaviour is a ProcessError
/// that says what happened and carries the last lines of the process's standard error: an
/// end by signal or with a status, an answer that is no JSON or has another form, another version,
/// words unasked, an endless line, silence. To be used by the main thread.
class Conversation {
  public:
    /// Starts the process, which waits for `release` before it runs its program. `who` is what
    /// errors call it; `signals` lives longer than the conversation.
    Conversation(std::string who, const ChildOptions& options, const StopSignals& signals);

    /// Lets the process run its program; throws ProcessError when that cannot be run.
    void release();

    /// Sends `message` and waits at most `timeout` for the answer of type `answer`. While it waits,
    /// the end of `partner` (or null) is an error of the partner: a driver whose server dies sees
    /// only connections that break. Throws ProcessError, RefusedError for an answer of type
    /// `error`, and Interrupted.
    nlohmann::json ask(const nlohmann::json& message, std::string_view answer,
                       std::chrono::milliseconds timeout, Conversation* partner = nullptr);

    /// Asks it to quit and waits for its end, at most two seconds; after that it is killed. An end
    /// other than with status 0 throws ProcessError.
    void quit();

    /// The same by ending its input alone.
    void end_input();

    /// The first line that it has said without being asked, or the start of it; nothing when it has
    /// said none so far. To be asked between answers, and after its end.
    std::optional<std::string> unasked_words();

    const std::string& who() const noexcept { return who_; }
    Child& child() noexcept { return child_; }

    /// Throws a ProcessError with the last lines of this process's standard error.
    [[noreturn]] void fail(const std::string& what) const;

  private:
    std::string wait_for_line(const std::string& asked, std::chrono::milliseconds timeout,
                              Conversation* partner);
    void wait_readable(const std::string& asked, std::chrono::steady_clock::time_point deadline,
                       std::chrono::milliseconds timeout, Conversation* partner);
    [[noreturn]] void fail_ended(const std::string& asked);
    /// Fails when it has said something, or has ended; `when` goes into the message.
    void check_silent(const std::string& asked, const std::string& when);
    /// After a failure of this process: whether it is the partner's, which ended or spoke unasked.
    static void check_partner(const std::string& asked, Conversation* partner);
    void await_end(std::string_view after);

    std::string who_;
    std::string program_;  // as it was given, for what is said when it cannot be started
    const StopSignals& signals_;
    Child child_;
    LineReader lines_;
};

}  // namespace loopbench
