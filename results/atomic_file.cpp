#include "results/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace loopbench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(int error, const char* what, const fs::path& path) {
    throw std::system_error(error, std::generic_category(),
                            fmt::format("{} {}", what, path.string()));
}

/// A descriptor that is closed at the end of its scope.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

  private:
    int fd_;
};

/// A file that is removed at the end of its scope unless it has been renamed.
class FileBeside {
  public:
    /// Named by the process; what a crashed one of the same number has left is overwritten.
    explicit FileBeside(const fs::path& target)
        : path_(fmt::format("{}.{}.new", target.string(), getpid())),
          file_(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666)) {
        if (file_.get() < 0) fail(errno, "create", path_);
    }
    ~FileBeside() {
        if (!renamed_) unlink(path_.c_str());
    }
    FileBeside(const FileBeside&) = delete;
    FileBeside& operator=(const FileBeside&) = delete;

    int fd() const { return file_.get(); }
    const fs::path& path() const { return path_; }
    void rename_to(const fs::path& target) {
        if (rename(path_.c_str(), target.c_str()) < 0) fail(errno, "replace", target);
        renamed_ = true;
    }

  private:
    fs::path path_;
    Descriptor file_;
    bool renamed_ = false;
};

void write_all(int fd, std::string_view text, const fs::path& path) {
    while (!text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(errno, "write", path);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// The file that a chain of links ends at; a path where nothing is stays as it is.
fs::path resolve(const fs::path& path) {
    std::error_code error;
    const fs::path resolved = fs::weakly_canonical(fs::absolute(path, error), error);
    return error ? path : resolved;
}

bool is_special(const fs::file_status& status) {
    return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// A rename is safe against a power failure only when the directory has been synced as well. Not
/// all file systems can; then the order of their own writes has to do.
void sync_directory(const fs::path& directory) {
    const Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.get() >= 0) fsync(opened.get());
}

}  // namespace

void write_atomically(const fs::path& path, std::string_view text) {
    // The status of the path as given: /dev/stdout resolves to a name that cannot be opened when it
    // is a pipe.
    std::error_code ignored;
    if (is_special(fs::status(path, ignored))) {
        const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (file.get() < 0) fail(errno, "open", path);
        write_all(file.get(), text, path);
        return;
    }
    const fs::path target = resolve(path);
    FileBeside beside(target);
    write_all(beside.fd(), text, beside.path());
    if (fsync(beside.fd()) < 0) fail(errno, "sync", beside.path());
    beside.rename_to(target);
    sync_directory(target.parent_path());
}

std::optional<std::string> check_writable(const fs::path& path) {
    if (path.empty()) return "the path is empty; give a file";
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_directory(status)) return "that is a directory; give a file in it";
    const fs::path target = resolve(path);
    if (!fs::is_directory(target.parent_path(), error)) {
        return fmt::format("there is no directory {}; make it or give another file",
                           target.parent_path().string());
    }
    // Renaming would replace a file that its owner has protected; that is not what anybody asks
    // for.
    if (fs::exists(status) && faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) < 0) {
        return fmt::format("it cannot be written ({}); give another file",
                           std::generic_category().message(errno));
    }
    if (is_special(status)) return std::nullopt;
    try {
        const FileBeside probe(target);
    } catch (const std::system_error& failure) {
        return fmt::format("no file can be made in {} ({}); give another file",
                           target.parent_path().string(), failure.code().message());
    }
    return std::nullopt;
}

}  // namespace loopbench
