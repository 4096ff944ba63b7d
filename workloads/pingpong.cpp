#include "workloads/pingpong.hpp"

#include <string>

namespace loopbench {

PingPongParameters ping_pong_parameters(const nlohmann::json& params) {
    const ParameterReader reader(params);
    PingPongParameters result;
    result.tasks = static_cast<std::uint32_t>(reader.number("tasks", 2, 1, 10'000'000));
    result.variant =
        static_cast<PingPongParameters::Variant>(reader.choice("variant", ping_pong_variants));
    const bool takes_two = result.variant == PingPongParameters::Variant::event ||
                           result.variant == PingPongParameters::Variant::cancel ||
                           result.variant == PingPongParameters::Variant::cancel_throw;
    if (takes_two && result.tasks < 2) {
        ParameterReader::reject("tasks", std::to_string(result.tasks),
                                "at least 2 with this variant, where one task wakes the next");
    }
    return result;
}

}  // namespace loopbench
