#include "harness/check/slice_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "harness/check/manners_check.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

constexpr std::uint64_t operations_of_a_slice = 3000;

/// A case that a SUT is checked on.
struct WorkingForm {
    std::string name;  ///< for people; empty for the only one
    std::map<std::string, std::string> params;
};

bool has_parameter(const WorkloadInfo& workload, std::string_view name) {
    const auto& all = all_parameters();
    return std::any_of(all.begin(), all.end(), [&](const Parameter& parameter) {
        return parameter.name == name && parameter.defaults.contains(workload.name);
    });
}

/// By the choice that the workload leaves, if there is one; small otherwise.
std::vector<WorkingForm> working_forms_of(const WorkloadInfo& workload) {
    std::vector<WorkingForm> forms;
    for (const Parameter& parameter : all_parameters()) {
        if (!parameter.defaults.contains(workload.name)) continue;
        for (const std::string& choice : parameter.choices) {
            forms.push_back({choice, {{parameter.name, choice}}});
        }
    }
    if (forms.empty()) forms.emplace_back();
    // So that a slice takes no longer than it must.
    for (const auto& [name, little] : {std::pair("pending", "1000"), std::pair("spin_us", "10")}) {
        if (!has_parameter(workload, name)) continue;
        for (WorkingForm& form : forms) form.params.emplace(name, little);
    }
    return forms;
}

/// One SUT working on one form of a workload.
class WorkingCheck {
  public:
    WorkingCheck(CheckList& list, const CheckSubject& subject, const WorkloadInfo& workload,
                 const WorkingForm& form)
        : list_(list), subject_(subject), workload_(workload), form_(form) {}

    /// Whether the SUT is there to go on with.
    bool work() { return set_up() && slice("a slice") && slice("another slice"); }
    void end();

    const std::string& refusal() const noexcept { return refusal_; }
    CheckedSut& sut() noexcept { return *sut_; }

  private:
    bool check(const std::string& what, const Expectation& wanted,
               const std::function<std::string()>& step);
    bool set_up();
    bool slice(const std::string& what);

    CheckList& list_;
    const CheckSubject& subject_;
    const WorkloadInfo& workload_;
    const WorkingForm& form_;
    std::string refusal_;
    std::unique_ptr<CheckedSut> sut_;
};

bool WorkingCheck::check(const std::string& what, const Expectation& wanted,
                         const std::function<std::string()>& step) {
    const std::string where =
        form_.name.empty() ? workload_.name : fmt::format("{} ({})", workload_.name, form_.name);
    return list_.check(fmt::format("{}: {}", where, what), wanted, step);
}

bool WorkingCheck::set_up() {
    const Expectation wanted{"'ready' with address null, or without one",
                             "answer 'ready' when the workload is prepared; it has no sockets"};
    const bool going = check("setup", wanted, [&] {
        sut_ = std::make_unique<CheckedSut>(subject_);
        const json params = resolve_parameters(workload_, form_.params);
        const json ready = sut_->set_up(workload_, params, "", refusal_);
        if (ready.contains("address") && !ready["address"].is_null()) {
            throw CheckFailed(fmt::format("the address {}", ready["address"].dump()));
        }
        return deviations_in(ready);
    });
    return going && refusal_.empty();
}

bool WorkingCheck::slice(const std::string& what) {
    const Expectation wanted{
        fmt::format("'done' with at least {} operations, and the counter operations to grow by as "
                    "many (or null)",
                    operations_of_a_slice),
        "do as many operations as are asked for, rounded up to whole units, and tell how many"};
    return check(what, wanted, [&] {
        SutProcess& process = sut_->process();
        const auto before = process.mark()["operations"];
        const SliceAnswer done = process.slice(operations_of_a_slice, {});
        const auto after = process.mark()["operations"];
        if (done.operations < operations_of_a_slice) {
            throw CheckFailed(fmt::format("{} operations", done.operations));
        }
        if (before && after && *after < *before + done.operations) {
            throw CheckFailed(fmt::format("{} operations, and the counter went from {} to {}",
                                          done.operations, *before, *after));
        }
        return fmt::format("{} operations", done.operations);
    });
}

void WorkingCheck::end() {
    check("'quit' ends it", clean_end(), [&] {
        sut_->quit();
        return "";
    });
}

}  // namespace

void check_in_process_workload(CheckList& list, const CheckSubject& subject,
                               const WorkloadInfo& workload) {
    bool offered = false;
    bool worked = false;
    std::string refusal;
    for (const WorkingForm& form : working_forms_of(workload)) {
        WorkingCheck working(list, subject, workload, form);
        const bool going = working.work();
        offered = offered || working.refusal().empty();
        if (refusal.empty()) refusal = working.refusal();
        if (!going) continue;
        if (!std::exchange(worked, true)) {
            check_manners(list, subject, working.sut(), workload.name);
        }
        working.end();
    }
    list.check_offered(workload.name, offered, refusal);
}

}  // namespace loopbench
