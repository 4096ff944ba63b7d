#include "harness/check/socket_check.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "harness/check/manners_check.hpp"
#include "harness/check/serving_check.hpp"

namespace loopbench {
namespace {

std::vector<ServingForm> serving_forms_of(const WorkloadInfo& workload) {
    const auto form = [](std::string name, std::map<std::string, std::string> params,
                         std::uint64_t rounds) {
        params.emplace("connections", "4");
        SliceWork work;
        work.rounds = rounds;
        return ServingForm{std::move(name), std::move(params), work, Placement::lockstep};
    };
    std::vector<ServingForm> forms{
        form("unix, push", {{"transport", "unix"}, {"api", "push"}}, 20),
        form("tcp, push", {{"transport", "tcp"}, {"api", "push"}}, 20),
        form("unix, pull", {{"transport", "unix"}, {"api", "pull"}}, 20),
        form("unix, task", {{"transport", "unix"}, {"api", "task"}}, 20),
        form("unix, push, one connection", {{"connections", "1"}}, 20),
        // More than a socket's buffer holds: reads and writes come in parts.
        form("unix, push, messages of 1 MB", {{"size", "1000000"}}, 3),
    };
    if (workload.name != "echo") return forms;
    // Reads that hold several messages, or a part of one.
    forms.push_back(form("unix, push, 8 messages under way", {{"pipeline", "8"}}, 100));
    forms.back().placement = Placement::split;
    return forms;
}

}  // namespace

void check_socket_workload(CheckList& list, const CheckSubject& subject,
                           const WorkloadInfo& workload) {
    const std::vector<ServingForm> forms = serving_forms_of(workload);
    bool offered = false;
    bool served = false;
    std::string refusal;
    for (const ServingForm& form : forms) {
        ServingCheck serving(list, subject, workload, form);
        const bool going = serving.serve();
        offered = offered || serving.refusal().empty();
        if (refusal.empty()) refusal = serving.refusal();
        if (!going) continue;
        const bool first = !std::exchange(served, true);
        if (first) check_manners(list, subject, serving.sut(), workload.name);
        serving.end_in_order();
        if (!first) continue;
        ServingForm once_more = form;
        once_more.name += ", once more";
        ServingCheck again(list, subject, workload, once_more);
        if (again.serve()) again.end_abruptly();
    }
    list.check_offered(workload.name, offered, refusal);
}

}  // namespace loopbench
