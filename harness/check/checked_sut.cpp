#include "harness/check/checked_sut.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "harness/counters.hpp"
#include "harness/errors.hpp"

namespace loopbench {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds idle_time{200};

ChildOptions options_of(const CheckSubject& subject, const std::filesystem::path& program) {
    ChildOptions child;
    child.command = {program.string()};
    child.environment.emplace_back("LOOPBENCH_ARM", subject.spec.id);
    return child;
}

std::size_t threads_of(pid_t pid) {
    std::error_code gone;
    const std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", pid), gone);
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// CPU time of a process; nothing when it is gone.
std::optional<std::chrono::nanoseconds> cpu_of(pid_t pid) {
    try {
        return std::chrono::nanoseconds(CounterReader(pid).cpu_ns());
    } catch (const std::system_error&) {
        return std::nullopt;
    }
}

}  // namespace

std::string deviations_in(const json& ready) {
    const auto deviations = ready.value("deviations", std::vector<std::string>{});
    if (deviations.empty()) return "";
    return fmt::format("not like for like: {}", fmt::join(deviations, ", "));
}

Expectation clean_end() {
    return {"an end with status 0 within 2 s, and nothing more said",
            "leave the loop when 'quit' or the end of input comes, even while something is open"};
}

bool pause(const CheckSubject& subject, int other, milliseconds moment) {
    pollfd watched[2] = {{other, POLLIN, 0}, {subject.signals.fd(), POLLIN, 0}};
    const int ready = poll(watched, 2, static_cast<int>(moment.count()));
    subject.signals.check();
    return ready > 0 && watched[0].revents != 0;
}

std::unique_ptr<DriverProcess> start_driver(const CheckSubject& subject) {
    auto driver = std::make_unique<DriverProcess>(
        "the driver", options_of(subject, subject.settings.driver_program), subject.signals,
        subject.settings.patience);
    driver->release();
    return driver;
}

CheckedSut::CheckedSut(const CheckSubject& subject)
    : subject_(subject),
      process_(subject.spec, options_of(subject, subject.program), subject.signals,
               subject.settings.patience) {
    process_.release();
}

std::string CheckedSut::be_refused(const json& request, const std::string& answer) {
    json reply;
    try {
        reply = process_.conversation().ask(request, answer, subject_.settings.patience.answer);
    } catch (const RefusedError& refused) {
        return refused.what();
    }
    throw CheckFailed(fmt::format("the answer '{}'", reply.at("type").get<std::string>()));
}

json CheckedSut::set_up(const WorkloadInfo& workload, const json& params, const std::string& listen,
                        std::string& refusal) {
    process_.describe(subject_.spec.keys);
    json message{{"type", "setup"},
                 {"workload", workload.name},
                 {"keys", subject_.spec.keys},
                 {"seed", 1},
                 {"params", params}};
    if (!listen.empty()) message["listen"] = listen;
    try {
        return process_.conversation().ask(message, "ready", subject_.settings.patience.answer);
    } catch (const RefusedError& refused) {
        refusal = fmt::format("{} ({})", refused.what(), refused.remedy());
        throw CheckSkipped("not offered: " + refusal);
    }
}

IdleTime CheckedSut::stay_idle() {
    const pid_t pid = process_.child().pid();
    IdleTime idle;
    idle.threads = threads_of(pid);
    const auto before = cpu_of(pid);
    const auto began = steady_clock::now();
    if (pause(subject_, process_.child().output(), idle_time)) expect_no_words();
    idle.length = steady_clock::now() - began;
    const auto after = cpu_of(pid);
    if (before && after) idle.cpu = *after - *before;
    return idle;
}

void CheckedSut::quit() {
    process_.quit();
    expect_no_words();
}

void CheckedSut::end_input() {
    process_.conversation().end_input();
    expect_no_words();
}

void CheckedSut::expect_no_words() {
    if (const auto words = process_.conversation().unasked_words()) {
        process_.conversation().fail(fmt::format("said unasked: '{}'", *words));
    }
}

}  // namespace loopbench
