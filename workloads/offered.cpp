#include "workloads/offered.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "workloads/workload.hpp"

namespace loopbench {

SocketParameters push_parameters(const nlohmann::json& params, std::string_view reference) {
    const SocketParameters parameters = socket_parameters(params);
    if (parameters.api != Api::push) {
        throw WorkloadError(fmt::format("parameter api is \"{}\", and {} has no such form",
                                        ParameterReader(params).text("api", "push"), reference),
                            "push would do");
    }
    return parameters;
}

PingPongParameters ping_pong_parameters(
    const nlohmann::json& params, std::string_view reference,
    std::initializer_list<PingPongParameters::Variant> offered) {
    const PingPongParameters parameters = ping_pong_parameters(params);
    if (std::find(offered.begin(), offered.end(), parameters.variant) != offered.end()) {
        return parameters;
    }
    std::vector<std::string_view> names;
    for (const auto variant : offered) {
        names.push_back(ping_pong_variants[static_cast<std::size_t>(variant)]);
    }
    throw WorkloadError(
        fmt::format("parameter variant is \"{}\", and {} has no such thing",
                    ping_pong_variants[static_cast<std::size_t>(parameters.variant)], reference),
        fmt::format("{} would do", fmt::join(names, " or ")));
}

}  // namespace loopbench
