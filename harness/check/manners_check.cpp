#include "harness/check/manners_check.hpp"

#include <fmt/format.h>

namespace loopbench {
namespace {

std::string cost_of(const IdleTime& idle) {
    if (!idle.cpu) return "what it costs when idle cannot be told";
    const double share =
        static_cast<double>(idle.cpu->count()) / static_cast<double>(idle.length.count());
    const std::string told = fmt::format("idle, it used {:.1f}% of a processor", 100 * share);
    constexpr double suspicious = 0.02;
    if (share < suspicious) return told;
    return told + "; it should sleep: what an arm does while others are measured voids slices";
}

std::string threads_of(const IdleTime& idle) {
    if (idle.threads == 1) return "it has one thread";
    return fmt::format("it has {} threads: what they all do is charged to it", idle.threads);
}

}  // namespace

void check_manners(CheckList& list, const CheckSubject& subject, CheckedSut& sut,
                   const std::string& where) {
    IdleTime idle;
    const bool silent = list.check(
        where + ": silent while nothing is asked",
        {"nothing on standard output but answers", "write what is for people to standard error"},
        [&] {
            idle = sut.stay_idle();
            return "";
        });
    if (!silent) return;
    list.note(where, cost_of(idle));
    list.note(where, threads_of(idle));
    const bool going =
        list.check(where + ": an unknown request is refused",
                   {"an answer 'error'", "answer so whatever you do not know, and go on"}, [&] {
                       return sut.be_refused({{"type", "no-such-request"}}, "marked");
                   });
    if (!going) return;
    list.check(where + ": unknown members of a request are ignored, after a refusal, too",
               {"the answer 'marked'", "look only at the members that you know"}, [&] {
                   sut.process().conversation().ask({{"type", "mark"}, {"no_such_member", {1, 2}}},
                                                    "marked", subject.settings.patience.answer);
                   return "";
               });
}

}  // namespace loopbench
