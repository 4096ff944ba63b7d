#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "harness/check/check_list.hpp"
#include "harness/driver_process.hpp"
#include "harness/scratch_directory.hpp"
#include "harness/settings.hpp"
#include "harness/signals.hpp"
#include "harness/sut_process.hpp"
#include "harness/workload_parameters.hpp"

namespace loopbench {

/// The program that is checked, and how processes of it are started.
struct CheckSubject {
    ArmSpec spec;
    std::filesystem::path program;
    const Settings& settings;    ///< outlives the subject
    const StopSignals& signals;  ///< likewise
    ScratchDirectory sockets;    ///< for the Unix sockets that it listens on
};

/// What a process did while nothing was asked of it.
struct IdleTime {
    std::chrono::nanoseconds length{0};
    std::optional<std::chrono::nanoseconds> cpu;
    std::size_t threads = 0;
};

/// One process of the program that is checked. Steps throw CheckFailed, or a ProcessError after
/// which the process is of no more use.
class CheckedSut {
  public:
    /// Starts it; throws ProcessError when that cannot be done.
    explicit CheckedSut(const CheckSubject& subject);

    SutProcess& process() noexcept { return process_; }

    /// A request that is to be answered with `error`, whose text it gives.
    std::string be_refused(const nlohmann::json& request, const std::string& answer);

    /// Sends `describe` and `setup`, and gives the answer `ready`. Throws CheckSkipped when the SUT
    /// refuses the workload with these parameters, and tells why in `refusal`.
    nlohmann::json set_up(const WorkloadInfo& workload, const nlohmann::json& params,
                          const std::string& listen, std::string& refusal);

    /// Watches it doing nothing.
    IdleTime stay_idle();

    /// Both end the process: with status 0, and nothing more said.
    void quit();
    void end_input();

  private:
    void expect_no_words();

    const CheckSubject& subject_;
    SutProcess process_;
};

/// What the answer `ready` names as not like for like, for people; empty when that is nothing.
std::string deviations_in(const nlohmann::json& ready);

/// What `quit` and `end_input` ask for.
Expectation clean_end();

/// A driver for the SUT, not connected yet. Throws ProcessError.
std::unique_ptr<DriverProcess> start_driver(const CheckSubject& subject);

/// Waits a moment, or less when `other` (a descriptor, or -1) becomes readable; whether it did.
/// Throws Interrupted.
bool pause(const CheckSubject& subject, int other, std::chrono::milliseconds moment);

}  // namespace loopbench
