#include "results/slice_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace loopbench {

std::filesystem::path SliceLog::path_for(const std::filesystem::path& result) {
    return result.string() + ".slices.jsonl";
}

SliceLog::SliceLog(std::filesystem::path path, const nlohmann::json& header)
    : path_(std::move(path)),
      fd_(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path_.string());
    try {
        append(header);
    } catch (...) {
        close(fd_);
        throw;
    }
}

SliceLog::~SliceLog() {
    if (fd_ >= 0) close(fd_);
}

void SliceLog::append(const nlohmann::json& slice) {
    const std::string line = slice.dump() + "\n";
    const off_t before = lseek(fd_, 0, SEEK_END);
    ssize_t written = 0;
    do {
        written = write(fd_, line.data(), line.size());
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(line.size())) return;
    // A short write to a file means that there is no more room. Half a line in the middle would
    // make the lines after it unreadable, so it goes.
    const int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(fd_, before) < 0) {
        throw std::system_error(errno, std::generic_category(), path_.string());
    }
    throw std::system_error(error, std::generic_category(), path_.string());
}

void SliceLog::remove() {
    close(std::exchange(fd_, -1));
    std::filesystem::remove(path_);
}

SliceLogContents read_slice_log(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) throw std::invalid_argument(fmt::format("{}: cannot be read", path.string()));
    SliceLogContents contents;
    bool has_header = false;
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        // `getline` ends without having met a line break only at the end of the file.
        contents.torn = file.eof();
        if (contents.torn) break;
        nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
        if (!json.is_object()) {
            throw std::invalid_argument(
                fmt::format("{}: line {} is not a JSON object", path.string(), number));
        }
        if (has_header) {
            contents.slices.push_back(std::move(json));
        } else {
            contents.header = std::move(json);
            has_header = true;
        }
    }
    if (!has_header) throw std::invalid_argument(fmt::format("{}: has no header", path.string()));
    return contents;
}

}  // namespace loopbench
