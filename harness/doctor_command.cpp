#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "harness/ask_sut.hpp"
#include "harness/catalogue.hpp"
#include "harness/commands.hpp"
#include "harness/conditions.hpp"
#include "harness/doctor.hpp"
#include "harness/errors.hpp"
#include "harness/facilities.hpp"
#include "harness/speed_probe.hpp"
#include "harness/sut_checks.hpp"

namespace loopbench {
namespace {

void add(std::vector<Finding>& findings, std::vector<Finding> more) {
    for (Finding& finding : more) findings.push_back(std::move(finding));
}

/// What a thread that keeps the SUT's processor busy meets with.
std::vector<Finding> check_speed(const SystemFiles& files, const Processors& processors) {
    const BusyStretch stretch = keep_busy(processors.sut, std::chrono::seconds(2), files);
    return {check_delivered(stretch),  check_foreign_use(stretch), check_steal(stretch),
            check_throttling(stretch), check_interrupts(stretch),  check_drift(stretch),
            check_clock_cost()};
}

std::vector<Finding> check_machine(const SystemFiles& files, const Processors& processors,
                                   std::size_t allowed) {
    return {check_processors(processors, allowed),
            check_siblings(files, processors),
            check_isolation(files, processors),
            check_governor(files, processors),
            check_boost(files),
            check_virtual_machine(files),
            check_quota(files),
            check_clock_source(files),
            check_irq_accounting(files),
            check_hugepages(files),
            check_address_layout(files),
            check_swap(files)};
}

std::vector<Finding> check_facilities(const SystemFiles& files) {
    rlimit descriptors{};
    rlimit memory{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    getrlimit(RLIMIT_MEMLOCK, &memory);
    const bool root = geteuid() == 0;
    return {check_descriptor_limit(files, descriptors, root),
            check_listen_queue(files),
            check_io_uring(files, try_io_uring()),
            check_locked_memory(memory, root),
            check_perf_paranoid(files, root),
            check_syscall_counting(),
            check_hardware_counters()};
}

std::vector<Finding> check_programs(const Catalogue& catalogue) {
    const StopSignals signals;
    std::vector<DescribedSut> suts;
    for (const FoundProgram& sut : catalogue.suts()) {
        suts.push_back({sut.name, ask_sut(sut, signals)});
    }
    return {check_suts(suts, left_out()), check_driver_found(catalogue.find("loopbench-driver")),
            check_assertions(suts), check_sanitizers(suts)};
}

}  // namespace

int doctor_command(const CommandLine& line) {
    const SystemFiles files;
    const std::vector<int> allowed = allowed_processors();
    const Processors processors = choose_processors(line.value("cpus"), allowed);
    std::vector<Finding> findings = check_machine(files, processors, allowed.size());
    add(findings, {check_other_load(files)});
    add(findings, check_speed(files, processors));
    add(findings, check_facilities(files));
    add(findings, check_programs(Catalogue::of_this_process()));
    if (line.has("json")) {
        fmt::print("{}\n", findings_to_json(findings).dump(2));
    } else {
        fmt::print("{}", format_findings(findings));
    }
    return is_fit(findings) ? exit_success : exit_unfit;
}

}  // namespace loopbench
