#include "harness/baseline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iterator>

#include "harness/driver/version.hpp"
#include "harness/errors.hpp"
#include "harness/fingerprint.hpp"
#include "results/statistics.hpp"
#include "results/validation.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

json to_json(const SittingCell& cell) {
    return {{"workload", cell.workload},   {"params", cell.params}, {"placement", cell.placement},
            {"metric", cell.metric},       {"arm", cell.arm},       {"normaliser", cell.normaliser},
            {"log_ratio", cell.log_ratio}, {"blocks", cell.blocks}};
}

SittingCell cell_from(const json& one) {
    return {one.at("workload"), one.at("params"),     one.at("placement"), one.at("metric"),
            one.at("arm"),      one.at("normaliser"), one.at("log_ratio"), one.at("blocks")};
}

Sitting sitting_from(const json& one) {
    Sitting sitting{one.at("created"), one.at("fingerprint"), {}};
    for (const json& cell : one.at("cells")) sitting.cells.push_back(cell_from(cell));
    return sitting;
}

/// Seconds since 1970 of "2026-03-01T12:34:56Z".
std::time_t seconds_of(const std::string& created) {
    std::tm time{};
    strptime(created.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time);
    return timegm(&time);
}

bool is_same_cell(const SittingCell& old, const JudgedCell& cell) {
    return old.workload == cell.workload && old.params == cell.params &&
           old.placement == name_of(cell.placement) && old.metric == cell.metric &&
           old.arm == cell.arm && old.normaliser == cell.reference;
}

}  // namespace

std::vector<Sitting> read_sittings(std::string_view flag, const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return {};
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    std::vector<Sitting> sittings;
    try {
        const ResultFile result = read_result(text);
        if (!result.sittings.is_array()) throw std::invalid_argument("it holds no sittings");
        for (const json& one : result.sittings) sittings.push_back(sitting_from(one));
    } catch (const std::exception& error) {
        const std::string what = error.what();
        throw UsageError(
            fmt::format("{}={}: this is no baseline: {}; record one with loopbench "
                        "baseline FILE",
                        flag, path.string(), what));
    }
    return sittings;
}

json to_json(const std::vector<Sitting>& sittings) {
    json all = json::array();
    for (const Sitting& sitting : sittings) {
        json cells = json::array();
        for (const SittingCell& cell : sitting.cells) cells.push_back(to_json(cell));
        all.push_back({{"created", sitting.created},
                       {"fingerprint", sitting.fingerprint},
                       {"cells", std::move(cells)}});
    }
    return all;
}

std::vector<Sitting> spaced(const std::vector<Sitting>& sittings) {
    std::vector<Sitting> kept;
    for (const Sitting& sitting : sittings) {
        const bool near =
            !kept.empty() && seconds_of(sitting.created) <
                                 seconds_of(kept.back().created) + least_seconds_between_sittings;
        if (!near) kept.push_back(sitting);
    }
    return kept;
}

std::vector<SittingCell> sitting_cells(const std::vector<JudgedCell>& cells) {
    std::vector<SittingCell> measured;
    for (const JudgedCell& cell : cells) {
        if (!cell.cannot.empty() || cell.log_ratios.empty()) continue;
        measured.push_back({cell.workload, cell.params, std::string(name_of(cell.placement)),
                            cell.metric, cell.arm, cell.reference, hodges_lehmann(cell.log_ratios),
                            cell.log_ratios.size()});
    }
    return measured;
}

json sitting_fingerprint(const ResultFile& result) {
    json print = fingerprint(result.environment);
    print["driver"] = fmt::format("version {}", driver::driver_version);
    print["compiler"] = fmt::format("{} {}", result.loopbench.compiler, result.loopbench.flags);
    print["processors used"] = result.plan.cpus;
    for (const Arm& arm : result.arms) {
        if (arm.describe.value("kind", "loop") != "reference") continue;
        print["normaliser " + arm.id] = arm.describe.value("version", "");
    }
    return print;
}

bool judge_by_sittings(JudgedCell& cell, const std::vector<Sitting>& sittings) {
    std::vector<double> old;
    for (const Sitting& sitting : sittings) {
        for (const SittingCell& one : sitting.cells) {
            if (is_same_cell(one, cell)) old.push_back(one.log_ratio);
        }
    }
    if (old.empty()) return false;
    if (!cell.cannot.empty() || cell.log_ratios.empty()) return true;
    if (old.size() < least_sittings) {
        cell.cannot = fmt::format(
            "the baseline has {} sitting{} of it that count; {} are needed, at "
            "least a minute apart",
            old.size(), old.size() == 1 ? "" : "s", least_sittings);
        return true;
    }
    // Merging correlated blocks leaves half as many ratios of as many blocks.
    const std::size_t blocks = cell.log_ratios.size() * (cell.merged ? 2 : 1);
    if (blocks < static_cast<std::size_t>(blocks_for_an_interval)) {
        cell.cannot =
            fmt::format("{} blocks are no sitting; {} are needed", blocks, blocks_for_an_interval);
        return true;
    }
    // The margin is one of the loop as it was, which the normaliser times the usual ratio is.
    const double usual = median(old);
    const double now = hodges_lehmann(cell.log_ratios);
    const double margin = log_margin(cell.margin, cell.level * std::exp(usual));
    const SittingTest test = test_sitting(old, now, margin);
    cell.evidence.emplace(margin);
    cell.evidence->look_once(test.regression_p, test.pass_p);
    // The sitting is the unit: one value, and no interval from its blocks.
    cell.log_ratios = {now - usual};
    cell.shown.clear();
    return true;
}

}  // namespace loopbench
