#include "harness/system_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace loopbench {
namespace {

/// The parts of a line of /proc/self/cgroup, "ID:CONTROLLERS:PATH" (cgroups(7)).
struct Membership {
    std::string controllers;  ///< with commas between; empty for version 2
    std::string path;
};

std::vector<Membership> memberships(const std::string& text) {
    std::vector<Membership> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        found.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
    }
    return found;
}

bool lists(const std::string& controllers, std::string_view wanted) {
    return fmt::format(",{},", controllers).find(fmt::format(",{},", wanted)) != std::string::npos;
}

}  // namespace

std::filesystem::path SystemFiles::locate(std::string_view path) const {
    return root_ / path.substr(path.find_first_not_of('/'));
}

std::optional<std::string> SystemFiles::text(std::string_view path) const {
    std::ifstream file(locate(path));
    std::string text{std::istreambuf_iterator<char>(file), {}};
    text.erase(text.find_last_not_of(" \n\t") + 1);
    if (text.empty()) return std::nullopt;
    return text;
}

std::optional<long long> SystemFiles::number(std::string_view path) const {
    const auto digits = text(path);
    if (!digits) return std::nullopt;
    long long number = 0;
    const char* end = digits->data() + digits->size();
    const auto [stop, error] = std::from_chars(digits->data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
}

std::optional<std::string> SystemFiles::field(std::string_view path, std::string_view name) const {
    std::ifstream file(locate(path));
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with(name) || colon == std::string::npos) continue;
        const std::size_t start = line.find_first_not_of(" \t", colon + 1);
        if (start == std::string::npos) return std::nullopt;
        return line.substr(start);
    }
    return std::nullopt;
}

std::vector<std::string> SystemFiles::names_in(std::string_view directory) const {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(locate(directory), missing)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<bool> SystemFiles::kernel_option(std::string_view option) const {
    const std::string set = fmt::format("{}=y", option);
    const std::string command =
        fmt::format("zcat '{}' 2>/dev/null", locate("/proc/config.gz").string());
    std::string configuration;
    if (FILE* output = popen(command.c_str(), "re"); output != nullptr) {
        char piece[4096];
        while (fgets(piece, sizeof piece, output) != nullptr) configuration += piece;
        pclose(output);
    }
    if (configuration.empty()) {
        const auto release = text("/proc/sys/kernel/osrelease");
        if (release) configuration = text("/boot/config-" + *release).value_or("");
    }
    if (configuration.empty()) return std::nullopt;
    return ("\n" + configuration + "\n").find("\n" + set + "\n") != std::string::npos;
}

std::optional<std::string> SystemFiles::control_group_file(std::string_view controller,
                                                           std::string_view file) const {
    // In a container /proc/self/cgroup may name a path that only the host sees; what is mounted is
    // then the container's own group.
    std::vector<std::string> candidates;
    for (const Membership& group : memberships(text("/proc/self/cgroup").value_or(""))) {
        std::vector<std::string> mounts;
        if (group.controllers.empty()) {
            mounts = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
        } else if (lists(group.controllers, controller)) {
            mounts = {fmt::format("/sys/fs/cgroup/{}", group.controllers),
                      fmt::format("/sys/fs/cgroup/{}", controller)};
        }
        for (const std::string& mount : mounts) {
            candidates.push_back(fmt::format("{}{}/{}", mount, group.path, file));
            candidates.push_back(fmt::format("{}/{}", mount, file));
        }
    }
    for (const std::string& candidate : candidates) {
        if (text(candidate)) return candidate;
    }
    return std::nullopt;
}

}  // namespace loopbench
