#include "harness/result_output.hpp"

#include <fmt/format.h>

#include "harness/errors.hpp"
#include "results/atomic_file.hpp"

namespace loopbench {

void check_output(std::string_view flag, const std::string& path) {
    if (path.empty()) return;
    if (const auto why = check_writable(path)) {
        throw UsageError(fmt::format("{}={}: {}", flag, path, *why));
    }
}

void ResultOutput::begin(const ResultFile& head) {
    if (!path_.empty()) log_.emplace(SliceLog::path_for(path_), head);
}

void ResultOutput::add(Placement placement, const std::string& arm, const SliceSample& sample) {
    if (!log_) return;
    nlohmann::json line = to_json(sample, true);
    line["placement"] = name_of(placement);
    line["arm"] = arm;
    log_->append(line);
}

void ResultOutput::checkpoint(const ResultFile& result) {
    if (!path_.empty()) write_atomically(path_, nlohmann::json(result).dump(1) + "\n");
}

void ResultOutput::finish(const ResultFile& result) {
    checkpoint(result);
    if (log_) log_->remove();
}

}  // namespace loopbench
