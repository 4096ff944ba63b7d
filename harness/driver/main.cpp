// The load generator: answers the harness's requests, one line each, until it says quit or goes
// away.

#include <signal.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "harness/driver/errors.hpp"
#include "harness/driver/session.hpp"
#include "harness/line_channel.hpp"

namespace {

using loopbench::driver::Session;
using nlohmann::json;

std::optional<json> answer_line(Session& session, const std::string& line) {
    const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (request.is_discarded()) {
        return loopbench::driver::error_answer("a request is not JSON: " + line.substr(0, 80),
                                               "one JSON object a line, as docs/protocol.md says");
    }
    return session.answer(request);
}

void serve_requests() {
    loopbench::LineReader requests(STDIN_FILENO);
    Session session;
    while (const auto line = requests.read_line()) {
        const auto answer = answer_line(session, *line);
        if (!answer) return;
        // Text from outside (a path, a bad request) need not be UTF-8.
        const std::string text = answer->dump(-1, ' ', false, json::error_handler_t::replace);
        if (!loopbench::write_line(STDOUT_FILENO, text)) return;
    }
}

}  // namespace

int main() {
    // Ctrl-C reaches the whole process group; when to end is the harness's decision.
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    try {
        serve_requests();
    } catch (const loopbench::driver::HarnessGone&) {
        // The same as quit.
    } catch (const std::exception& error) {
        std::cerr << "loopbench-driver: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
