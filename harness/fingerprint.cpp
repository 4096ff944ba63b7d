#include "harness/fingerprint.hpp"
namespace loopbench {
nlohmann::json fingerprint(const nlohmann::json& environment) {
    return {{"kernel", environment.value("kernel", "")}};
}
std::vector<std::string> differences(const nlohmann::json& then, const nlohmann::json& now) {
    std::vector<std::string> all;
    for (const auto& [key, value] : then.items())
        if (now.value(key, nlohmann::json()) != value)
            all.push_back(key + ": was " + value.dump() + ", is " +
                          now.value(key, nlohmann::json()).dump());
    return all;
}
}  // namespace loopbench
