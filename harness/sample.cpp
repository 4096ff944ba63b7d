#include "harness/sample.hpp"

#include <utility>

namespace loopbench {
namespace {

void put(nlohmann::json& object, const char* name, const std::optional<std::uint64_t>& value) {
    if (value) object[name] = *value;
}

}  // namespace

nlohmann::json to_json(const SliceSample& sample, bool with_histograms) {
    nlohmann::json json{{"block", sample.block},
                        {"slice", sample.slice},
                        {"operations", sample.answer.operations},
                        {"elapsed_ns", sample.answer.elapsed_ns}};
    if (sample.answer.bytes > 0) json["bytes"] = sample.answer.bytes;
    put(json, "rounds", sample.answer.rounds);
    put(json, "driver_cpu_ns", sample.answer.driver_cpu_ns);
    put(json, "idle_connections", sample.answer.idle_connections);
    put(json, "cpu_ns", sample.cpu_ns);
    if (sample.self_reported) json["self_reported"] = true;
    put(json, "syscalls", sample.syscalls);
    put(json, "instructions", sample.instructions);
    put(json, "cycles", sample.cycles);
    if (!sample.answer.metrics.empty()) json["metrics"] = sample.answer.metrics;
    if (sample.idle_arms_cpu_ns > 0) json["idle_arms_cpu_ns"] = sample.idle_arms_cpu_ns;
    if (!sample.invalid.empty()) json["invalid"] = sample.invalid;
    if (with_histograms) {
        for (const auto& [name, histogram] : sample.answer.histograms) {
            json["histograms"][name] = histogram.to_json();
        }
    }
    return json;
}

nlohmann::json to_json(const StretchCounts& counts) {
    nlohmann::json json{{"operations", counts.operations}};
    if (counts.rounds > 0) json["rounds"] = counts.rounds;
    put(json, "voluntary_switches", counts.voluntary_switches);
    put(json, "involuntary_switches", counts.involuntary_switches);
    put(json, "running_ns", counts.running_ns);
    put(json, "waiting_ns", counts.waiting_ns);
    for (const auto& [name, value] : counts.counters) put(json["counters"], name.c_str(), value);
    return json;
}

void BlockSamples::add(SliceSample sample) {
    if (sample.invalid.empty()) {
        for (const auto& [name, histogram] : sample.answer.histograms) {
            histograms[name].merge(histogram);
        }
    }
    sample.answer.histograms.clear();
    slices.push_back(std::move(sample));
}

}  // namespace loopbench
