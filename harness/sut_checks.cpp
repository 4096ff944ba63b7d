#include "harness/sut_checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace loopbench {
namespace {

using nlohmann::json;

json build_of(const DescribedSut& sut) {
    return sut.description.value("build", json::object());
}

std::string sanitizers_of(const DescribedSut& sut) {
    return build_of(sut).value("sanitizers", "");
}

std::string were(const std::vector<std::string>& names) {
    return fmt::format("{} {}", fmt::join(names, ", "), names.size() == 1 ? "was" : "were");
}

}  // namespace

Finding check_sanitizers(const std::vector<DescribedSut>& suts) {
    Finding finding = finding_of("sanitizers", "built with sanitizers");
    std::vector<std::string> names;
    std::string sanitizers;
    for (const DescribedSut& sut : suts) {
        if (sanitizers_of(sut).empty()) continue;
        names.push_back(sut.name);
        sanitizers = sanitizers_of(sut);
    }
    finding.found(names, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
    if (names.empty()) return finding;
    return std::move(finding).but(
        Grade::note, fmt::format("{} built with sanitizers ({})", were(names), sanitizers),
        "measure a release build: cmake --preset release");
}

Finding check_assertions(const std::vector<DescribedSut>& suts) {
    Finding finding = finding_of("debug_build", "built with assertions");
    std::vector<std::string> names;
    for (const DescribedSut& sut : suts) {
        if (!sanitizers_of(sut).empty() || !build_of(sut).value("assertions", false)) continue;
        names.push_back(sut.name);
    }
    finding.found(names, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
    if (names.empty()) return finding;
    return std::move(finding).but(Grade::note, fmt::format("{} built with assertions", were(names)),
                                  "measure a release build: cmake --preset release");
}

Finding check_suts(const std::vector<DescribedSut>& suts, const std::vector<LeftOut>& left_out) {
    Finding finding = finding_of("missing_suts", "loops and references");
    std::vector<std::string> reasons;
    std::vector<std::string> remedies;
    std::vector<std::string> missing;
    const auto miss = [&](const std::string& name, const std::string& reason,
                          const std::string& remedy) {
        missing.push_back(name);
        reasons.push_back(fmt::format("{}: {}", name, reason));
        const bool known = std::find(remedies.begin(), remedies.end(), remedy) != remedies.end();
        if (!remedy.empty() && !known) remedies.push_back(remedy);
    };
    for (const DescribedSut& sut : suts) {
        if (sut.description.value("available", true)) continue;
        miss(sut.name, sut.description.value("reason", "it does not say why"),
             sut.description.value("remedy", ""));
    }
    for (const LeftOut& loop : left_out) {
        const bool found = std::any_of(suts.begin(), suts.end(), [&](const DescribedSut& sut) {
            return sut.name == loop.name;
        });
        if (!found) {
            miss(loop.name, "it was not built, for want of a library",
                 fmt::format("apt-get install {}, and build again", loop.package));
        }
    }
    finding.value = missing;
    const std::size_t here = static_cast<std::size_t>(std::count_if(
        suts.begin(), suts.end(),
        [](const DescribedSut& sut) { return sut.description.value("available", true); }));
    finding.shown = missing.empty() ? fmt::format("{} work", here)
                                    : fmt::format("{} work, {} missing", here, missing.size());
    if (here == 0) {
        return std::move(finding).but(
            Grade::unfit,
            fmt::format("no loopbench-sut-* executable works here{}{}", reasons.empty() ? "" : ": ",
                        fmt::join(reasons, "; ")),
            "build them (scripts/loopbench list), or name their directory in LOOPBENCH_PATH");
    }
    if (missing.empty()) return finding;
    return std::move(finding).but(Grade::note, fmt::format("{}", fmt::join(reasons, "; ")),
                                  remedies.empty() ? "loopbench list loops tells more"
                                                   : fmt::format("{}", fmt::join(remedies, "; ")));
}

Finding check_driver_found(const std::filesystem::path& program) {
    Finding finding = finding_of("driver", "load generator");
    finding.found(!program.empty(), program.empty() ? "missing" : "found");
    if (!program.empty()) return finding;
    return std::move(finding).but(
        Grade::note, "loopbench-driver was not found: no workload with sockets can be measured",
        "build it (scripts/loopbench list), or name its directory in LOOPBENCH_PATH");
}

}  // namespace loopbench
