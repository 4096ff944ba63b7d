#include "harness/check/protocol_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "harness/check/slice_check.hpp"
#include "harness/check/socket_check.hpp"
#include "harness/protocol.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// What it says of itself; null when it does not.
json check_description(CheckList& list, const CheckSubject& subject) {
    std::unique_ptr<CheckedSut> sut;
    json description;
    const Expectation described{
        fmt::format("a 'description' of version {} of the protocol", protocol_version),
        "answer with one line, as harness/protocol.schema.json has it, and write out what is "
        "buffered"};
    list.check("describe", described, [&] {
        sut = std::make_unique<CheckedSut>(subject);
        description = sut->process().describe(subject.spec.keys);
        return fmt::format("{}, {} {}", description["name"].get<std::string>(),
                           description.value("library", ""),
                           description["version"].get<std::string>());
    });
    if (description.is_null()) return description;
    list.check("'quit' ends it", clean_end(), [&] {
        sut->quit();
        return "";
    });
    return description;
}

/// Sends one request that is to be refused, to a process of its own.
void check_refusal(CheckList& list, const CheckSubject& subject, const std::string& what,
                   const json& request, const std::string& remedy) {
    list.check(what, {"an answer 'error', and an end with status 0 at 'quit'", remedy}, [&] {
        CheckedSut sut(subject);
        const bool is_setup = request["type"] == "setup";
        if (is_setup) sut.process().describe(subject.spec.keys);
        const std::string refusal = sut.be_refused(request, is_setup ? "ready" : "description");
        sut.quit();
        return refusal;
    });
}

void check_refusals(CheckList& list, const CheckSubject& subject, const json& description) {
    check_refusal(list, subject, "an unknown key is refused",
                  {{"type", "describe"}, {"keys", {{"no-such-key", "1"}}}},
                  "refuse every key that you do not know: the user would think that it had an "
                  "effect");
    for (const json& key : description.value("keys", json::array())) {
        if (key["values"].empty()) continue;  // any will do
        const auto name = key["key"].get<std::string>();
        check_refusal(list, subject,
                      fmt::format("an unknown value of the key '{}' is refused", name),
                      {{"type", "describe"}, {"keys", {{name, "no-such-value"}}}},
                      "refuse every value that you do not know");
    }
    check_refusal(list, subject, "an unknown workload is refused",
                  {{"type", "setup"},
                   {"workload", "no-such-workload"},
                   {"keys", subject.spec.keys},
                   {"seed", 1},
                   {"params", json::object()}},
                  "refuse every workload that you do not offer");
}

void check_end_of_input(CheckList& list, const CheckSubject& subject) {
    list.check("the end of input ends it", clean_end(), [&] {
        CheckedSut sut(subject);
        sut.process().describe(subject.spec.keys);
        sut.end_input();
        return "";
    });
}

void check_workloads(CheckList& list, const CheckSubject& subject,
                     const std::vector<std::string>& offered) {
    for (const WorkloadInfo& workload : all_workloads()) {
        if (std::find(offered.begin(), offered.end(), workload.name) == offered.end()) continue;
        if (workload.sockets) {
            check_socket_workload(list, subject, workload);
        } else {
            check_in_process_workload(list, subject, workload);
        }
    }
}

/// The names in `offered` of which the harness knows nothing, and whether it knows any.
void check_names(CheckList& list, const std::vector<std::string>& offered) {
    std::vector<std::string> known;
    std::vector<std::string> unknown = offered;
    for (const WorkloadInfo& workload : all_workloads()) {
        known.push_back(workload.name);
        std::erase(unknown, workload.name);
    }
    const Expectation wanted{fmt::format("one of {} at the least", fmt::join(known, ", ")),
                             "name in 'workloads' what you offer"};
    list.check("it offers a workload", wanted, [&] {
        if (unknown.size() == offered.size()) {
            throw CheckFailed(fmt::format("[{}]", fmt::join(offered, ", ")));
        }
        return fmt::format("{}", fmt::join(offered, ", "));
    });
    if (unknown.empty()) return;
    list.skip("workloads",
              fmt::format("loopbench has none of the name {}", fmt::join(unknown, ", ")));
}

}  // namespace

void check_protocol(CheckList& list, const CheckSubject& subject) {
    const json description = check_description(list, subject);
    if (description.is_null()) return list.skip("all else", "it does not describe itself");
    check_refusals(list, subject, description);
    check_end_of_input(list, subject);
    if (!description.value("available", true)) {
        list.check("what is not available says why",
                   {"'reason' and 'remedy'", "tell what is missing, and what would help"}, [&] {
                       if (description.value("reason", "").empty()) throw CheckFailed("no reason");
                       return description["reason"].get<std::string>();
                   });
        return list.skip("workloads", "it cannot work on this machine");
    }
    const auto offered = description.value("workloads", std::vector<std::string>{});
    check_names(list, offered);
    check_workloads(list, subject, offered);
}

}  // namespace loopbench
