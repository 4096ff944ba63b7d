#include "harness/sut/session.hpp"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>

#include "harness/sut/control_channel.hpp"
#include "harness/sut/preparation.hpp"
#include "harness/sut/process_counters.hpp"

namespace loopbench {
namespace {

/// One host with one workload, from `setup` to `quit`.
class Session {
  public:
    /// Throws `WorkloadError`, or what the host's constructor throws.
    Session(ControlChannel& control, const HostType& type, const SutFacts& facts,
            const nlohmann::json& setup)
        : control_(control) {
        const SetupRequest request = parse_setup(setup, facts);
        const nlohmann::json params = parse_params(setup, request);
        const LoopOptions options = options_for(request, params);
        host_ = type.make(options, control.input());
        check_connections(request, params, facts.loop);
        workload_ = &host_->make_workload(
            request.workload, {.listen = request.listen, .seed = request.seed, .params = params});
        watch_input();  // first, because after the next line there is something to shut down
        const std::string address = workload_->set_up();
        control_.send(ready_message(address, deviations_of(facts.loop, options)));
    }

    /// Serves requests until `quit` or the end of input, then gives everything back.
    void serve() {
        while (answer_all()) host_->run();  // requests are answered outside: a slice runs the loop
        host_->unwatch();
        workload_->shut_down();
    }

  private:
    void watch_input() {
        make_watchable(control_.input());
        if (const Result<> started = host_->watch(); !started) {
            throw WorkloadError("standard input cannot be watched: " + started.error().message(),
                                "give the requests through a pipe");
        }
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
        return marked_message(workload_->counters(), process, host_->turns());
    }

    /// The input is not watched meanwhile, so that the loop has nothing but the workload to do.
    std::string slice(std::uint64_t operations) {
        host_->unwatch();
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
    std::unique_ptr<Hosted> host_;
    Workload* workload_ = nullptr;  // its host's
    std::optional<ControlWork> control_work_;
};

}  // namespace

int run_sut(const HostType& type, int input, int output) {
    prepare_process();
    ControlChannel control(input, output);
    const SutFacts facts = type.facts();
    try {
        nlohmann::json setup;
        if (!await_setup(control, facts, setup)) return 0;
        std::optional<Session> session;
        try {
            session.emplace(control, type, facts, setup);
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
