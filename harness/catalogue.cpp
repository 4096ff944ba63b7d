#include "harness/catalogue.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "harness/errors.hpp"
#include "harness/nearest.hpp"

namespace loopbench {
namespace {

constexpr std::string_view sut_prefix = "loopbench-sut-";

bool is_executable(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

/// The programs of one kind in a directory, by name; none when it cannot be read.
std::vector<FoundProgram> programs_in(const std::filesystem::path& directory,
                                      const std::string& origin, std::string_view prefix) {
    std::vector<FoundProgram> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        const std::string file = entry.path().filename().string();
        if (file.starts_with(prefix) && is_executable(entry.path())) {
            found.push_back({file.substr(prefix.size()), entry.path(), origin});
        }
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return found;
}

}  // namespace

Catalogue Catalogue::of_this_process() {
    const char* search_path = std::getenv("LOOPBENCH_PATH");
    return Catalogue(search_path == nullptr ? "" : search_path,
                     std::filesystem::read_symlink("/proc/self/exe").parent_path());
}

Catalogue::Catalogue(std::string_view search_path, const std::filesystem::path& harness_directory) {
    while (!search_path.empty()) {
        const std::size_t colon = search_path.find(':');
        const std::string_view directory = search_path.substr(0, colon);
        if (!directory.empty()) {
            directories_.push_back({std::filesystem::absolute(directory), "LOOPBENCH_PATH"});
        }
        search_path.remove_prefix(colon == std::string_view::npos ? search_path.size() : colon + 1);
    }
    if (!harness_directory.empty()) {
        directories_.push_back({harness_directory, "beside loopbench"});
        directories_.push_back(
            {harness_directory.parent_path() / "libexec" / "loopbench", "libexec/loopbench"});
    }
    suts_ = programs(sut_prefix);
}

std::vector<FoundProgram> Catalogue::programs(std::string_view prefix) const {
    std::vector<FoundProgram> found;
    for (const Directory& directory : directories_) {
        for (FoundProgram& program : programs_in(directory.path, directory.origin, prefix)) {
            const bool known = std::any_of(found.begin(), found.end(), [&](const auto& earlier) {
                return earlier.name == program.name;
            });
            if (!known) found.push_back(std::move(program));
        }
    }
    return found;
}

std::vector<std::string> Catalogue::names() const {
    std::vector<std::string> names;
    for (const FoundProgram& sut : suts_) names.push_back(sut.name);
    return names;
}

std::filesystem::path Catalogue::program_of(const ArmSpec& arm, std::string_view flag) const {
    if (arm.program) {
        if (!is_executable(*arm.program)) {
            throw UsageError(
                fmt::format("{}={}: {} is not an executable file; give the path of a "
                            "program that speaks docs/protocol.md",
                            flag, arm.id, arm.program->string()));
        }
        return std::filesystem::absolute(*arm.program);
    }
    for (const FoundProgram& sut : suts_) {
        if (sut.name == arm.name) return sut.path;
    }
    if (suts_.empty()) {
        throw UsageError(
            fmt::format("{}={}: no loopbench-sut-* executable was found in {}; build "
                        "them, or name their directory in LOOPBENCH_PATH",
                        flag, arm.id, directories_.front().path.string()));
    }
    throw UsageError(fmt::format("{}={}: there is no such loop here; {} (`loopbench list loops`)",
                                 flag, arm.id, suggestion(arm.name, names())));
}

std::filesystem::path Catalogue::find(std::string_view file) const {
    for (const Directory& directory : directories_) {
        std::error_code ignored;
        if (std::filesystem::exists(directory.path / file, ignored)) return directory.path / file;
    }
    return {};
}

}  // namespace loopbench
