#include "harness/check/serving_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "harness/address.hpp"

namespace loopbench {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Accepting and closing take turns of the loop: so long is waited for the counters to follow.
constexpr milliseconds longest_lag{2000};
constexpr milliseconds between_marks{10};

/// The address in the answer `ready`, as the driver can use it.
std::string check_address(const json& ready, const std::string& listen) {
    const auto member = ready.find("address");
    if (member == ready.end() || !member->is_string()) throw CheckFailed("no 'address'");
    const auto address = member->get<std::string>();
    const bool chosen_by_kernel = listen.ends_with(":0");
    if (!chosen_by_kernel && address == listen) return address;
    try {
        parse_address(address);
        if (chosen_by_kernel && !address.ends_with(":0")) return address;
    } catch (const std::invalid_argument&) {
        // told below
    }
    throw CheckFailed(fmt::format("the address '{}'", address));
}

/// The counters against what the driver did between two marks.
std::string compare_counters(const Counters& before, const Counters& after,
                             const SliceAnswer& done) {
    std::vector<std::string> wrong;
    std::vector<std::string> missing;
    const auto compare = [&](const char* name, std::uint64_t expected) {
        const auto was = before.find(name);
        const auto is = after.find(name);
        if (was == before.end() || is == after.end() || !was->second || !is->second) {
            missing.emplace_back(name);
        } else if (*is->second - *was->second != expected) {
            wrong.push_back(fmt::format("{} from {} to {}", name, *was->second, *is->second));
        }
    };
    compare("operations", done.operations);
    compare("bytes", done.bytes);
    for (const auto& [name, value] : after) {
        if (name == "operations" || name == "bytes" || name.ends_with("_connections")) continue;
        const auto was = before.find(name);
        if (was == before.end() || !was->second || !value || *value >= *was->second) continue;
        wrong.push_back(fmt::format("{} from {} down to {}", name, *was->second, *value));
    }
    if (!wrong.empty()) throw CheckFailed(fmt::format("{}", fmt::join(wrong, ", ")));
    if (!missing.empty()) {
        throw CheckSkipped(fmt::format("not counted: {}", fmt::join(missing, ", ")));
    }
    return "";
}

}  // namespace

ServingCheck::ServingCheck(CheckList& list, const CheckSubject& subject,
                           const WorkloadInfo& workload, const ServingForm& form)
    : list_(list),
      subject_(subject),
      workload_(workload),
      form_(form),
      params_(resolve_parameters(workload, form.params)),
      connections_(params_.at("connections").get<std::uint64_t>()) {}

bool ServingCheck::check(const std::string& what, const Expectation& wanted,
                         const std::function<std::string()>& step) {
    return list_.check(fmt::format("{} ({}): {}", workload_.name, form_.name, what), wanted, step);
}

bool ServingCheck::set_up() {
    static int sockets_made = 0;
    const bool tcp = params_.at("transport") == "tcp";
    const std::string listen =
        tcp ? "127.0.0.1:0"
            : fmt::format("unix:{}/{}", subject_.sockets.path().string(), sockets_made++);
    const Expectation wanted{
        fmt::format("'ready' with the address on which it listens, {}", listen),
        "answer with the address that was asked for, and for port 0 with the port that "
        "getsockname(2) tells"};
    check("setup", wanted, [&] {
        sut_ = std::make_unique<CheckedSut>(subject_);
        const json ready = sut_->set_up(workload_, params_, listen, refusal_);
        address_ = check_address(ready, listen);
        const std::string deviations = deviations_in(ready);
        return deviations.empty() ? address_ : fmt::format("{}; {}", address_, deviations);
    });
    return !address_.empty();
}

bool ServingCheck::connect() {
    const bool connected = check(
        fmt::format("{} clients connect", connections_),
        {fmt::format("that it listens on {} by now, and accepts", address_),
         "answer 'setup' when listen(2) has succeeded, and accept all that come"},
        [&] {
            driver_ = start_driver(subject_);
            driver_->connect(workload_.name, address_, 1, params_, &sut_->process().conversation());
            return "";
        });
    return connected && check("open connections are counted",
                              {fmt::format("the counter open_connections at {}", connections_),
                               "count a connection from when it is accepted until it is closed; or "
                               "say null"},
                              [&] {
                                  await_connections("open_connections", connections_);
                                  return fmt::format("{}", connections_);
                              });
}

/// Marks until the counter says what it should, for a while.
void ServingCheck::await_connections(const char* counter, std::uint64_t wanted) {
    const auto deadline = steady_clock::now() + longest_lag;
    while (true) {
        const auto value = sut_->process().mark()[counter];
        if (!value) throw CheckSkipped(fmt::format("{} is not counted", counter));
        if (*value == wanted) return;
        if (steady_clock::now() > deadline) {
            throw CheckFailed(fmt::format("{} at {}", counter, *value));
        }
        pause(subject_, -1, between_marks);
    }
}

bool ServingCheck::drive() {
    Counters before;
    Counters after;
    SliceAnswer done;
    const bool driven = check(
        "driven by the driver",
        {workload_.name == "fanin"
             ? "one byte 0x06 on the connection numbered 0 for each round of messages"
             : "every byte back, on its connection, in its order",
         "see what the workload says on the wire in docs/protocol.md; keep what a write(2) did not "
         "take, and send it when the socket is writable again"},
        [&] {
            before = sut_->process().mark();
            done = driver_->slice(form_.placement, form_.work, &sut_->process().conversation());
            after = sut_->process().mark();
            return fmt::format("{} {}s, each byte verified", done.operations, workload_.operation);
        });
    if (!driven) return false;
    check("the counters agree with the driver's",
          {fmt::format("operations +{}, bytes +{}, and nothing that falls", done.operations,
                       done.bytes),
           "count bytes as they are received, and as operations whole messages, however they are "
           "cut into reads; what cannot be counted is null"},
          [&] { return compare_counters(before, after, done); });
    return check("all connections are steady",
                 {fmt::format("the counter steady_connections at {}", connections_),
                  "count the open connections that have carried data; or say null"},
                 [&] {
                     await_connections("steady_connections", connections_);
                     return "";
                 });
}

void ServingCheck::end_in_order() {
    const bool going = check("no open connection after the clients left",
                             {"the counters open_connections and steady_connections at 0",
                              "close a connection at its end of file (a read of 0 bytes) or its "
                              "error, and count it out"},
                             [&] {
                                 driver_->quit();
                                 await_connections("open_connections", 0);
                                 await_connections("steady_connections", 0);
                                 return "";
                             });
    if (!going) return;
    check("'quit' ends it", clean_end(), [&] {
        sut_->quit();
        return "";
    });
}

void ServingCheck::end_abruptly() {
    check("the end of input ends it while clients are connected", clean_end(), [&] {
        sut_->end_input();
        return "";
    });
}

}  // namespace loopbench
