#include <fmt/format.h>

#include <cstdio>
#include <system_error>

#include "harness/address.hpp"
#include "harness/catalogue.hpp"
#include "harness/commands.hpp"
#include "harness/descriptor_limit.hpp"
#include "harness/errors.hpp"
#include "harness/free_address.hpp"
#include "harness/prepare.hpp"
#include "harness/read_settings.hpp"
#include "harness/sut_process.hpp"

namespace loopbench {
namespace {

/// As many clients as the limit of open descriptors may be made to allow come and go: there is no
/// number of connections to be known beforehand.
void allow_any_number_of_connections() {
    for (std::uint64_t most = 1'000'000; most >= 1000; most /= 10) {
        try {
            return raise_descriptor_limit(most);
        } catch (const UsageError&) {
            continue;
        }
    }
}

/// Serves until the user wants the end.
void serve(SutProcess& sut, const StopSignals& signals) {
    signals.wait(sut.child().pidfd());
    // Either the SUT has ended, which asking it tells, or the user wants the end.
    if (sut.child().wait_for_end(0)) sut.mark();
    sut.quit();
}

}  // namespace

int serve_command(const CommandLine& line) {
    const Catalogue catalogue = Catalogue::of_this_process();
    const ArmSpec spec = parse_arm("--loop", line.required("loop", "epoll"));
    const WorkloadInfo workload = find_workload("--workload", line.required("workload", "echo"));
    if (!workload.sockets) {
        throw UsageError("--workload=" + workload.name +
                         ": it has no sockets to serve; give echo or fanin");
    }
    const std::string listen = read_address("listen", line.required("listen", "127.0.0.1:7000"));
    std::map<std::string, std::string> given = line.parameters();
    given["transport"] = listen.starts_with("unix:") ? "unix" : "tcp";
    const nlohmann::json params = resolve_parameters(workload, given);
    const Settings settings = read_settings(line, catalogue);
    catalogue.program_of(spec, "--loop");
    check_address_free("--listen", listen);
    allow_any_number_of_connections();

    const StopSignals signals;
    const ReadyArm arm = describe_arm(spec, "--loop", catalogue, settings, signals);
    check_arm_fits(arm, "--loop", workload, params);
    ChildOptions child;
    child.command = settings.sut_prefix;
    child.command.push_back(arm.program.string());
    if (line.has("cpus")) child.cpu = settings.processors.sut;
    SutProcess sut(spec, child, signals, settings.patience);
    sut.release();
    const std::string address =
        sut.set_up({workload.name, spec.keys, settings.seed, listen, params});
    fmt::print("{}\n", address);
    std::fflush(stdout);
    serve(sut, signals);
    return exit_success;
}

}  // namespace loopbench
