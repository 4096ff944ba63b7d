#include "harness/placement.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <charconv>

#include "harness/errors.hpp"
#include "harness/nearest.hpp"

namespace loopbench {
namespace {

int parse_processor(const std::string& flag_value, std::string_view text,
                    const std::vector<int>& allowed) {
    int number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw UsageError(
            fmt::format("--cpus={}: '{}' is not a processor number; give SUT,DRIVER, "
                        "such as --cpus=1,0",
                        flag_value, text));
    }
    if (std::find(allowed.begin(), allowed.end(), number) == allowed.end()) {
        throw UsageError(
            fmt::format("--cpus={}: processor {} does not exist here or may not be "
                        "used; this process may use {}",
                        flag_value, number, fmt::join(allowed, ", ")));
    }
    return number;
}

}  // namespace

std::string_view name_of(Placement placement) {
    switch (placement) {
        case Placement::lockstep:
            return "lockstep";
        case Placement::split:
            return "split";
        case Placement::in_process:
            return "in-process";
    }
    return "";
}

std::vector<int> allowed_processors() {
    constexpr int most = 8192;
    cpu_set_t* set = CPU_ALLOC(most);
    const std::size_t size = CPU_ALLOC_SIZE(most);
    std::vector<int> allowed;
    if (sched_getaffinity(0, size, set) == 0) {
        for (int cpu = 0; cpu < most; ++cpu) {
            if (CPU_ISSET_S(cpu, size, set)) allowed.push_back(cpu);
        }
    }
    CPU_FREE(set);
    return allowed;
}

Processors choose_processors(const std::string& cpus_flag, const std::vector<int>& allowed) {
    Processors chosen;
    if (cpus_flag.empty()) {
        chosen.sut = allowed.back();
        if (allowed.size() > 1) chosen.driver = allowed[allowed.size() - 2];
        return chosen;
    }
    const std::size_t comma = cpus_flag.find(',');
    chosen.sut = parse_processor(cpus_flag, cpus_flag.substr(0, comma), allowed);
    if (comma == std::string::npos) return chosen;
    chosen.driver = parse_processor(cpus_flag, cpus_flag.substr(comma + 1), allowed);
    if (*chosen.driver == chosen.sut) {
        throw UsageError(
            fmt::format("--cpus={}: SUT and driver need two processors for the split "
                        "placement; give one number for lockstep",
                        cpus_flag));
    }
    return chosen;
}

std::vector<Placement> choose_placements(const std::string& wanted, bool sockets,
                                         const Processors& processors) {
    if (!sockets) {
        if (wanted.empty()) return {Placement::in_process};
        throw UsageError(
            fmt::format("--placement={}: this workload runs inside the process, "
                        "without a driver; leave the flag away",
                        wanted));
    }
    if (wanted == "lockstep") return {Placement::lockstep};
    if (!wanted.empty() && wanted != "split") {
        throw UsageError(
            fmt::format("--placement={}: {}", wanted, suggestion(wanted, {"lockstep", "split"})));
    }
    if (!processors.driver && wanted == "split") {
        throw UsageError(
            "--placement=split: two processors are needed and there is one; use "
            "--placement=lockstep");
    }
    if (wanted == "split") return {Placement::split};
    if (!processors.driver) return {Placement::lockstep};
    return {Placement::lockstep, Placement::split};
}

}  // namespace loopbench
