#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "harness/catalogue.hpp"
#include "harness/check/protocol_check.hpp"
#include "harness/commands.hpp"
#include "harness/errors.hpp"
#include "harness/prepare.hpp"
#include "harness/read_settings.hpp"

namespace loopbench {
namespace {

std::string summary_of(const CheckList& list, const std::string& arm) {
    const std::size_t failed = list.count(CheckOutcome::failed);
    return fmt::format("{}: {} {} ok, {} failed, {} skipped: it {} docs/protocol.md", arm,
                       list.count(CheckOutcome::held),
                       list.count(CheckOutcome::held) == 1 ? "check is" : "checks are", failed,
                       list.count(CheckOutcome::skipped), failed == 0 ? "keeps" : "does not keep");
}

nlohmann::json to_json(const CheckList& list, const CheckSubject& subject) {
    nlohmann::json checks = nlohmann::json::array();
    for (const CheckResult& result : list.results()) checks.push_back(to_json(result));
    return {{"arm", subject.spec.id},
            {"path", subject.program.string()},
            {"checks", std::move(checks)},
            {"ok", list.count(CheckOutcome::held)},
            {"failed", list.count(CheckOutcome::failed)},
            {"skipped", list.count(CheckOutcome::skipped)}};
}

}  // namespace

int check_command(const CommandLine& line) {
    if (!line.topic.empty()) {
        throw UsageError(
            fmt::format("list {}: --check is of one arm, and shows no list; leave one "
                        "of the two away",
                        line.topic));
    }
    const Catalogue catalogue = Catalogue::of_this_process();
    const ArmSpec spec = parse_arm("--check", line.value("check"));
    const Settings settings = read_settings(line, catalogue);
    check_driver_found(settings);
    const StopSignals signals;
    const CheckSubject subject{spec, catalogue.program_of(spec, "--check"), settings, signals, {}};
    const bool as_json = line.has("json");
    CheckList list([&](const CheckResult& result) {
        if (as_json) return;
        fmt::print("{}", format_check(result));
        std::fflush(stdout);
    });
    check_protocol(list, subject);
    fmt::print("{}\n", as_json ? to_json(list, subject).dump(2) : summary_of(list, spec.id));
    return list.count(CheckOutcome::failed) == 0 ? exit_success : exit_workload_failed;
}

}  // namespace loopbench
