#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/finding.hpp"
#include "harness/placement.hpp"
#include "harness/system_files.hpp"

namespace loopbench {

// What is known of this machine before anything runs on it, from what the kernel tells. Each check
// is one function and gives one finding, whether something is the matter or not.

Finding check_processors(const Processors& processors, std::size_t allowed);
Finding check_siblings(const SystemFiles& files, const Processors& processors);
Finding check_isolation(const SystemFiles& files, const Processors& processors);
Finding check_governor(const SystemFiles& files, const Processors& processors);
Finding check_boost(const SystemFiles& files);
Finding check_virtual_machine(const SystemFiles& files);
Finding check_quota(const SystemFiles& files);
Finding check_clock_source(const SystemFiles& files);
Finding check_irq_accounting(const SystemFiles& files);
Finding check_hugepages(const SystemFiles& files);
Finding check_address_layout(const SystemFiles& files);
Finding check_swap(const SystemFiles& files);

/// How many processors others keep busy: waits for 200 ms.
Finding check_other_load(const SystemFiles& files);

/// Those that bear on the figures of a measurement, for its warnings: what holds for every virtual
/// machine or every kernel of a distribution is in the environment and not told each time.
/// `sockets`: whether there is a driver.
std::vector<Finding> check_before_measuring(const SystemFiles& files, const Processors& processors,
                                            bool sockets);

/// The processors in a list as the kernel writes it: "0-2,8".
std::vector<int> parse_processor_list(std::string_view text);

/// How many of all processors' worth of time was not idle between two texts of /proc/stat; nothing
/// when no time passed.
std::optional<double> busy_processors(std::string_view before, std::string_view after);

/// How many processors' worth of time the control group may use; nothing without a quota.
std::optional<double> processor_quota(const SystemFiles& files);

}  // namespace loopbench
