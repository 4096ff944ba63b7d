#include "harness/sut_process.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace loopbench {
namespace {

using nlohmann::json;

std::optional<std::uint64_t> optional_count(const json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || member->is_null()) return std::nullopt;
    return member->get<std::uint64_t>();
}

}  // namespace

SliceAnswer read_slice_answer(const json& done) {
    SliceAnswer answer;
    answer.operations = done.at("operations").get<std::uint64_t>();
    answer.elapsed_ns = done.at("elapsed_ns").get<std::uint64_t>();
    answer.bytes = optional_count(done, "bytes").value_or(0);
    answer.rounds = optional_count(done, "rounds");
    answer.driver_cpu_ns = optional_count(done, "cpu_ns");
    answer.idle_connections = optional_count(done, "idle_connections");
    const json metrics = done.value("metrics", json::object());
    for (const auto& [name, value] : metrics.items()) {
        if (value.is_number()) answer.metrics[name] = value.get<double>();
    }
    const json histograms = done.value("histograms", json::object());
    for (const auto& [name, value] : histograms.items()) {
        answer.histograms.emplace(name, Histogram::from_json(value));
    }
    return answer;
}

SutProcess::SutProcess(const ArmSpec& arm, const ChildOptions& options, const StopSignals& signals,
                       const Patience& patience)
    : conversation_(arm.id, options, signals), patience_(patience) {}

json SutProcess::describe(const std::map<std::string, std::string>& keys) {
    return conversation_.ask({{"type", "describe"}, {"keys", keys}}, "description",
                             patience_.answer);
}

std::string SutProcess::set_up(const Setup& setup) {
    json message{{"type", "setup"},
                 {"workload", setup.workload},
                 {"keys", setup.keys},
                 {"seed", setup.seed},
                 {"params", setup.params}};
    if (!setup.listen.empty()) message["listen"] = setup.listen;
    const json ready = conversation_.ask(message, "ready", patience_.answer);
    deviations_ = ready.value("deviations", std::vector<std::string>{});
    const auto address = ready.find("address");
    if (setup.listen.empty()) return "";
    if (address == ready.end() || !address->is_string()) {
        conversation_.fail("did not say in its answer to 'setup' on which address it listens");
    }
    return address->get<std::string>();
}

SliceAnswer SutProcess::slice(std::uint64_t operations, std::chrono::nanoseconds expected) {
    const auto timeout =
        patience_.slice + std::chrono::ceil<std::chrono::milliseconds>(10 * expected);
    const json done =
        conversation_.ask({{"type", "slice"}, {"operations", operations}}, "done", timeout);
    try {
        return read_slice_answer(done);
    } catch (const std::invalid_argument& error) {
        conversation_.fail(fmt::format("sent a histogram that cannot be read: {}", error.what()));
    }
}

Counters SutProcess::mark() {
    const json marked = conversation_.ask({{"type", "mark"}}, "marked", patience_.answer);
    Counters counters;
    for (const auto& [name, value] : marked.at("counters").items()) {
        counters[name] = value.is_null() ? std::nullopt : std::optional(value.get<std::uint64_t>());
    }
    return counters;
}

}  // namespace loopbench
