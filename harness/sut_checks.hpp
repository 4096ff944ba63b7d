#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/build_info.hpp"
#include "harness/finding.hpp"

namespace loopbench {

/// An arm or a loop, with what it answered to `describe`.
struct DescribedSut {
    std::string name;
    nlohmann::json description;
};

/// Whether any was built with sanitizers.
Finding check_sanitizers(const std::vector<DescribedSut>& suts);
/// Whether any was built with assertions; those with sanitizers are left to the other check.
Finding check_assertions(const std::vector<DescribedSut>& suts);

/// Which loops are missing or cannot work here, and why. `left_out` were not built at all.
Finding check_suts(const std::vector<DescribedSut>& suts, const std::vector<LeftOut>& left_out);

/// Whether the load generator is here; `program` is empty when it is not.
Finding check_driver_found(const std::filesystem::path& program);

}  // namespace loopbench
