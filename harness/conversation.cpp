#include "harness/conversation.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "harness/protocol.hpp"
#include "harness/script_interpreter.hpp"

namespace loopbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t quoted_lines = 5;
constexpr milliseconds quit_timeout{2000};
/// A process whose end shows elsewhere first (a broken pipe, a reset connection) has this long for
/// the kernel to report it.
constexpr int ending_timeout_ms = 1000;
/// Longer than slices usually are, which nobody is to disturb; and short for a process that fills
/// the memory with what it writes to standard error.
constexpr milliseconds between_trims{100};

/// The start of `line`, for a message.
std::string excerpt(const std::string& line) {
    constexpr std::size_t shown = 60;
    std::string text;
    for (const char letter : line.substr(0, shown)) {
        text += static_cast<unsigned char>(letter) < ' ' ? '?' : letter;
    }
    return line.size() > shown ? text + "…" : text;
}

}  // namespace

Conversation::Conversation(std::string who, const ChildOptions& options, const StopSignals& signals)
    : who_(std::move(who)),
      program_(options.command.front()),
      signals_(signals),
      child_(options),
      lines_(child_.output()) {}

void Conversation::release() {
    try {
        child_.release();
    } catch (const std::system_error& error) {
        fail(fmt::format("could not be started: {}", why_not_started(program_, error.code())));
    }
}

void Conversation::fail(const std::string& what) const {
    throw ProcessError(who_, what, child_.last_lines(quoted_lines));
}

void Conversation::fail_ended(const std::string& asked) {
    if (!child_.wait_for_end(ending_timeout_ms)) {
        fail(fmt::format("closed its standard output while it was asked to '{}'", asked));
    }
    fail(fmt::format("{} while it was asked to '{}'", child_.ending(), asked));
}

void Conversation::check_silent(const std::string& asked, const std::string& when) {
    pollfd watched{child_.output(), POLLIN, 0};
    const bool readable = lines_.unfinished().empty() && poll(&watched, 1, 0) > 0;
    if (readable && lines_.feed() == LineReader::Fed::end) fail_ended(asked);
    if (lines_.unfinished().empty()) return;
    const auto line = lines_.next_line();
    fail(fmt::format("spoke unasked {}: {}", when,
                     excerpt(line.value_or(std::string(lines_.unfinished())))));
}

void Conversation::check_partner(const std::string& asked, Conversation* partner) {
    if (partner == nullptr) return;
    if (partner->child_.wait_for_end(ending_timeout_ms)) partner->fail_ended(asked);
    partner->check_silent(asked, fmt::format("during '{}'", asked));
}

void Conversation::wait_readable(const std::string& asked, steady_clock::time_point deadline,
                                 milliseconds timeout, Conversation* partner) {
    pollfd watched[3] = {{child_.output(), POLLIN, 0},
                         {signals_.fd(), POLLIN, 0},
                         {partner == nullptr ? -1 : partner->child_.pidfd(), POLLIN, 0}};
    while (true) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
        const auto wait = std::clamp(left, milliseconds(0), between_trims);
        const int ready = poll(watched, 3, static_cast<int>(wait.count()));
        if (ready < 0 && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "poll");
        }
        if (ready == 0 && left > wait) {
            child_.trim_errors();
            if (partner != nullptr) partner->child_.trim_errors();
            continue;
        }
        if (ready == 0) {
            check_partner(asked, partner);
            fail(fmt::format("did not answer '{}' within {:.3g} s", asked,
                             static_cast<double>(timeout.count()) / 1e3));
        }
        if (ready < 0) continue;
        if (watched[1].revents != 0) throw Interrupted();
        if (watched[2].revents != 0) partner->fail_ended(asked);
        return;
    }
}

std::string Conversation::wait_for_line(const std::string& asked, milliseconds timeout,
                                        Conversation* partner) {
    const auto deadline = steady_clock::now() + timeout;
    while (true) {
        if (auto line = lines_.next_line()) {
            if (lines_.unfinished().empty()) return *line;
            fail(fmt::format("answered '{}' with more than one line", asked));
        }
        wait_readable(asked, deadline, timeout, partner);
        if (lines_.feed() == LineReader::Fed::end) fail_ended(asked);
    }
}

nlohmann::json Conversation::ask(const nlohmann::json& message, std::string_view answer,
                                 milliseconds timeout, Conversation* partner) {
    const auto asked = message.at("type").get<std::string>();
    std::string line;
    try {
        check_silent(asked, fmt::format("before it was asked to '{}'", asked));
        if (!write_line(child_.input(), message.dump())) fail_ended(asked);
        line = wait_for_line(asked, timeout, partner);
    } catch (const std::length_error&) {
        fail(fmt::format("answered '{}' with a line of more than {} MiB", asked,
                         max_line_bytes >> 20));
    }
    nlohmann::json reply;
    try {
        reply = read_answer(line, answer);
    } catch (const ProtocolViolation& violation) {
        fail(fmt::format("broke the protocol in its answer to '{}': {}: {}", asked,
                         violation.what(), excerpt(line)));
    }
    if (reply.at("type") == "error") {
        check_partner(asked, partner);
        throw RefusedError(who_, reply.at("what").get<std::string>(), reply.value("remedy", ""),
                           child_.last_lines(quoted_lines));
    }
    return reply;
}

void Conversation::quit() {
    static_cast<void>(write_line(child_.input(), R"({"type":"quit"})"));
    await_end("'quit'");
}

void Conversation::end_input() {
    await_end("the end of its input");
}

void Conversation::await_end(std::string_view after) {
    child_.close_input();
    if (!child_.wait_for_end(static_cast<int>(quit_timeout.count()))) {
        fail(fmt::format("did not end within 2 s of {}", after));
    }
    if (!child_.ended_well()) fail(fmt::format("{} after {}", child_.ending(), after));
}

std::optional<std::string> Conversation::unasked_words() {
    if (lines_.unfinished().empty()) lines_.feed();
    if (const auto line = lines_.next_line()) return excerpt(*line);
    if (lines_.unfinished().empty()) return std::nullopt;
    return excerpt(std::string(lines_.unfinished()));
}

}  // namespace loopbench
