#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
namespace loopbench {
nlohmann::json fingerprint(const nlohmann::json& environment);
std::vector<std::string> differences(const nlohmann::json& then, const nlohmann::json& now);
}  // namespace loopbench
