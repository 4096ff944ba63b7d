#include "harness/result_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "harness/errors.hpp"

namespace loopbench {
namespace {

std::string log_path(const std::filesystem::path& path) { return path.string() + ".slices.jsonl"; }

void write_text(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw std::system_error(errno, std::generic_category(), "write");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

void check_writable(std::string_view flag, const std::string& path) {
    if (path.empty()) return;
    const std::filesystem::path directory = std::filesystem::absolute(path).parent_path();
    std::string why;
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        why = "that is a directory; give a file in it";
    } else if (!std::filesystem::is_directory(directory, error)) {
        why = fmt::format("the directory {} does not exist; make it, or give another file",
                          directory.string());
    } else {
        const std::string probe = path + ".probe";
        const OwnedFd file(open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
        if (!file) {
            why = fmt::format("it cannot be written ({}); give another file",
                              std::generic_category().message(errno));
        } else {
            unlink(probe.c_str());
        }
    }
    if (!why.empty()) throw UsageError(fmt::format("{}={}: {}", flag, path, why));
}

void ResultOutput::begin(const ResultFile& head) {
    if (path_.empty()) return;
    log_ = OwnedFd(open(log_path(path_).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
                        0666));
    if (!log_) throw std::system_error(errno, std::generic_category(), log_path(path_));
    write_text(log_.get(), nlohmann::json(head).dump() + "\n");
}

void ResultOutput::add(Placement placement, const std::string& arm, const SliceSample& sample) {
    if (!log_) return;
    nlohmann::json line = to_json(sample, true);
    line["placement"] = name_of(placement);
    line["arm"] = arm;
    write_text(log_.get(), line.dump() + "\n");
}

void ResultOutput::finish(const ResultFile& result) {
    if (path_.empty()) return;
    const std::string beside = path_.string() + ".new";
    const OwnedFd file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!file) throw std::system_error(errno, std::generic_category(), beside);
    write_text(file.get(), nlohmann::json(result).dump(1) + "\n");
    fsync(file.get());
    std::filesystem::rename(beside, path_);
    log_.reset();
    std::filesystem::remove(log_path(path_));
}

}  // namespace loopbench
