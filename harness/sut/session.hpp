#pragma once

// A SUT's main loop: the control protocol on one descriptor that the loop under test, or the
// reference, watches.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <nlohmann/json.hpp>

#include "harness/sut/control_channel.hpp"
#include "harness/sut/host.hpp"
#include "harness/sut/messages.hpp"
#include "harness/sut/preparation.hpp"
#include "harness/sut/process_counters.hpp"
#include "workloads/registry.hpp"
#include "workloads/workload.hpp"

namespace loopbench {

/// One host with one workload, from `setup` to `quit`.
template <SutHost Host>
class Session {
  public:
    /// Throws `WorkloadError`, or what the host's constructor throws.
    Session(ControlChannel& control, const SutFacts& facts, const nlohmann::json& setup)
        : control_(control),
          request_(parse_setup(setup, facts)),
          params_(parse_params(setup)),
          options_(options_for(request_, params_)),
          host_(options_),
          watch_(*this) {
        const auto entry =
            std::find_if(workload_list<Host>.begin(), workload_list<Host>.end(),
                         [&](const auto& each) { return each.name == request_.workload; });
        check_connections(request_, params_, facts.loop);
        workload_ = entry->make(
            host_, {.listen = request_.listen, .seed = request_.seed, .params = params_});
        watch_input();  // first, because after the next line there is something to shut down
        const std::string address = workload_->set_up();
        control_.send(ready_message(address, deviations_of(facts.loop, options_)));
    }

    /// Serves requests until `quit` or the end of input, then gives everything back.
    void serve() {
        while (answer_all()) host_.run();  // until there is input
        watch_.stop();
        workload_->shut_down();
    }

  private:
    struct Watch : Host::Readiness {
        explicit Watch(Session& its_session)
            : Host::Readiness(its_session.host_, its_session.control_.input(), &ready),
              session(its_session) {}
        static void ready(typename Host::Readiness& watch, Interest) noexcept {
            static_cast<Watch&>(watch).session.input_ready();
        }
        Session& session;
    };

    void watch_input() {
        make_watchable(control_.input());
        if (const Result<> started = watch_.start(Interest::readable); !started) {
            throw WorkloadError("standard input cannot be watched: " + started.error().message(),
                                "give the requests through a pipe");
        }
    }

    /// Requests are read here and answered outside the loop, so that a slice can run it.
    void input_ready() noexcept {
        ++control_turns_;
        host_.stop();
    }

    /// Answers what has come. False when the session is over.
    bool answer_all() {
        control_work_.emplace();
        control_.fill();
        while (const auto line = control_.next()) {
            const nlohmann::json message = parse_message(*line);
            if (type_of(message) == "quit") return false;
            control_.send(answer(message));
        }
        control_work_.reset();
        return !control_.ended();
    }

    std::string answer(const nlohmann::json& message) {
        try {
            const std::string type = type_of(message);
            if (type == "mark") return mark();
            if (type == "slice") return slice(parse_operations(message));
            throw WorkloadError("'" + type + "' came after the setup",
                                "mark, slice or quit would do");
        } catch (const WorkloadError& error) {
            return error_message(error.what(), error.remedy());
        }
    }

    std::string mark() {
        check_result();
        ProcessCounters process = process_counters();
        process.allocations = counted_allocations();
        return marked_message(workload_->counters(), process,
                              host_.counters().turns - control_turns_);
    }

    /// The input is not watched meanwhile, so that the loop has nothing but the workload to do.
    std::string slice(std::uint64_t operations) {
        watch_.stop();
        control_work_.reset();
        const SliceReport report = workload_->slice(operations);
        control_work_.emplace();
        watch_input();
        check_result();
        return done_message(report);
    }

    void check_result() const {
        if (const auto& mistake = workload_->mistake()) {
            throw WorkloadError("the workload found its result wrong: " + *mistake,
                                "this is a fault of the SUT, or of what the client sent");
        }
    }

    ControlChannel& control_;
    SetupRequest request_;
    nlohmann::json params_;
    LoopOptions options_;
    Host host_;
    std::unique_ptr<Workload> workload_;
    Watch watch_;
    std::optional<ControlWork> control_work_;
    std::uint64_t control_turns_ = 0;  // turns that brought nothing but input, as a rule
};

/// The whole of a SUT. Gives the exit status: 0, or 2 for input that is no message.
template <SutHost Host>
int run_sut(int input, int output) {
    prepare_process();
    ControlChannel control(input, output);
    SutFacts facts{kind_of<Host>, Host::describe(), Host::availability(), {}};
    for (const auto& entry : workload_list<Host>) facts.workloads.push_back(entry.name);
    try {
        nlohmann::json setup;
        if (!await_setup(control, facts, setup)) return 0;
        std::optional<Session<Host>> session;
        try {
            session.emplace(control, facts, setup);
        } catch (const WorkloadError& error) {
            control.send(error_message(error.what(), error.remedy()));
        } catch (const std::system_error& error) {
            control.send(error_message(std::string("the loop could not be made: ") + error.what(),
                                       "see what describe says"));
        }
        session ? session->serve() : await_quit(control);
        return 0;
    } catch (const MalformedMessage& error) {
        report_malformed(control, error);
        return 2;
    }
}

}  // namespace loopbench
