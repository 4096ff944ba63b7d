#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace loopbench {

/// What the harness knows of a workload; what it does is in workloads/.
struct WorkloadInfo {
    std::string name;
    std::string summary;      ///< one line for `list` and the head of a report
    std::string operation;    ///< what one operation is: "round trip", "message"
    bool sockets;             ///< driven by the driver, measured in lockstep and split
    std::string main_metric;  ///< the one that `--precision` is about
    /// The operation of the SUT's `operations` that the workload measures and nothing else; empty
    /// when there are several. Where a library has none and the adapter's stands in, there is no
    /// verdict on the library.
    std::string central_operation;
    /// What loops are set against when nobody says what: the floor for sockets, the yardstick of
    /// work inside the process, or where neither can do the work, a loop.
    std::string usual_reference;
};

const std::vector<WorkloadInfo>& all_workloads();

/// Throws UsageError, which names `flag`, when there is none of that name.
const WorkloadInfo& find_workload(std::string_view flag, std::string_view name);

/// A parameter of one or more workloads: `--read-buffer` on the command line, `read_buffer` in
/// `--config` files, in the protocol and in results.
struct Parameter {
    enum class Type : unsigned char {
        integer,  ///< from `least` to `most`
        choice,   ///< one of `choices`
        boolean,  ///< true or false
        mix,      ///< three whole numbers start:cancel:expire, not all zero
        rate,     ///< operations a second, at most `most`, or a text: percent of the maximum
    };

    std::string name;
    Type type;
    std::string help;
    std::map<std::string, nlohmann::json> defaults;  ///< by workload; only these have it
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::vector<std::string> choices;

    std::string flag() const;  ///< "--read-buffer"
};

const std::vector<Parameter>& all_parameters();

/// All parameters of `workload`, those in `given` (by name, as text) over the defaults. Throws
/// UsageError for one that the workload does not have, and for a value that cannot be.
nlohmann::json resolve_parameters(const WorkloadInfo& workload,
                                  const std::map<std::string, std::string>& given);

}  // namespace loopbench
