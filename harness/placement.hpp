#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loopbench {

/// Where SUT and driver stand (DESIGN: placement).
enum class Placement : unsigned char {
    lockstep,    ///< SUT and driver on one processor, in turns
    split,       ///< on two
    in_process,  ///< no driver: the SUT alone on one processor
};

/// "lockstep", "split", "in-process".
std::string_view name_of(Placement placement);

/// The processors a run uses.
struct Processors {
    int sut = 0;
    std::optional<int> driver;  ///< another one; without it only lockstep is possible
};

/// The processors on which this process may run, in ascending order.
std::vector<int> allowed_processors();

/// Chooses from `allowed`: what `--cpus` says ("SUT,DRIVER" or one number), or else the last for
/// the SUT and the one before it for the driver (interrupts prefer the first). Throws UsageError
/// for a processor that does not exist or is given twice.
Processors choose_processors(const std::string& cpus_flag, const std::vector<int>& allowed);

/// The placements of a case. `wanted` is what `--placement` says, or empty. Throws UsageError when
/// it cannot be had.
std::vector<Placement> choose_placements(const std::string& wanted, bool sockets,
                                         const Processors& processors);

}  // namespace loopbench
