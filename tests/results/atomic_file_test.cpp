#include "results/atomic_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

#include "tests/results/temporary_directory.hpp"

namespace loopbench {
namespace {

namespace fs = std::filesystem;

/// Files may not grow beyond `bytes` for the time of a scope: the test's full disk.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) {
        getrlimit(RLIMIT_FSIZE, &before_);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

/// The rights of an ordinary user for the time of a scope: root may write anywhere.
class OrdinaryUser {
  public:
    OrdinaryUser() : before_(geteuid()) {
        if (before_ == 0 && seteuid(65534) != 0) throw std::runtime_error("seteuid failed");
    }
    ~OrdinaryUser() {
        if (seteuid(before_) != 0) std::abort();
    }
    OrdinaryUser(const OrdinaryUser&) = delete;
    OrdinaryUser& operator=(const OrdinaryUser&) = delete;

  private:
    uid_t before_;
};

TEST(AtomicFile, WritesAndReplacesAndLeavesNothingBeside) {
    const TemporaryDirectory directory;
    const fs::path path = directory.path() / "result.json";
    write_atomically(path, "one");
    EXPECT_EQ(read_text(path), "one");
    const std::string large(1 << 20, 'x');
    write_atomically(path, large);
    EXPECT_EQ(read_text(path), large);
    EXPECT_EQ(directory.entries(), 1U);
}

TEST(AtomicFile, IsReadableAsTheUmaskSays) {
    const TemporaryDirectory directory;
    const fs::path path = directory.path() / "result.json";
    const mode_t before = umask(027);
    write_atomically(path, "one");
    umask(before);
    EXPECT_EQ(fs::status(path).permissions(),
              fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
}

TEST(AtomicFile, AReaderKeepsTheOldContentWhole) {
    const TemporaryDirectory directory;
    const fs::path path = directory.path() / "result.json";
    write_atomically(path, "old");
    std::ifstream reader(path);
    write_atomically(path, "new and longer");
    std::string text;
    reader >> text;
    EXPECT_EQ(text, "old");
}

TEST(AtomicFile, AFailureKeepsTheOldContentAndLeavesNothingBeside) {
    const TemporaryDirectory directory;
    const fs::path path = directory.path() / "result.json";
    write_atomically(path, "old");
    {
        const FileSizeLimit limit(1000);
        EXPECT_THROW(write_atomically(path, std::string(2000, 'x')), std::system_error);
    }
    EXPECT_EQ(read_text(path), "old");
    EXPECT_EQ(directory.entries(), 1U);
}

TEST(AtomicFile, OverwritesWhatACrashLeftBeside) {
    const TemporaryDirectory directory;
    const fs::path path = directory.path() / "result.json";
    write_text(path.string() + "." + std::to_string(getpid()) + ".new", "half of a longer text");
    EXPECT_EQ(check_writable(path), std::nullopt);
    write_atomically(path, "whole");
    EXPECT_EQ(read_text(path), "whole");
    EXPECT_EQ(directory.entries(), 1U);
}

TEST(AtomicFile, FollowsALink) {
    const TemporaryDirectory directory;
    write_text(directory.path() / "target", "old");
    fs::create_symlink("target", directory.path() / "link");
    write_atomically(directory.path() / "link", "new");
    EXPECT_TRUE(fs::is_symlink(directory.path() / "link"));
    EXPECT_EQ(read_text(directory.path() / "target"), "new");
}

TEST(AtomicFile, WritesIntoAPipe) {
    const TemporaryDirectory directory;
    const fs::path path = directory.path() / "pipe";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    EXPECT_EQ(check_writable(path), std::nullopt);
    write_atomically(path, "text");
    char buffer[16];
    EXPECT_EQ(read(reader, buffer, sizeof buffer), 4);
    close(reader);
    EXPECT_TRUE(fs::is_fifo(path));
}

TEST(CheckWritable, TouchesNothing) {
    const TemporaryDirectory directory;
    EXPECT_EQ(check_writable(directory.path() / "new.json"), std::nullopt);
    EXPECT_EQ(directory.entries(), 0U);
    const fs::path path = directory.path() / "old.json";
    write_text(path, "old");
    const auto written = fs::last_write_time(path);
    EXPECT_EQ(check_writable(path), std::nullopt);
    EXPECT_EQ(read_text(path), "old");
    EXPECT_EQ(fs::last_write_time(path), written);
    EXPECT_EQ(directory.entries(), 1U);
}

/// The reason for which `path` cannot be written, which also is the fate of an attempt.
std::string refusal(const fs::path& path) {
    EXPECT_THROW(write_atomically(path, "text"), std::system_error) << path;
    return check_writable(path).value_or("");
}

TEST(CheckWritable, NamesTheCauseAndTheRemedy) {
    const TemporaryDirectory directory;
    EXPECT_EQ(refusal(directory.path()), "that is a directory; give a file in it");
    const fs::path missing = fs::canonical(directory.path()) / "no-such";
    EXPECT_EQ(refusal(missing / "r.json"),
              "there is no directory " + missing.string() + "; make it or give another file");
    write_text(directory.path() / "file", "");
    EXPECT_NE(refusal(directory.path() / "file" / "r.json").find("there is no directory"),
              std::string::npos);
    EXPECT_EQ(check_writable(""), "the path is empty; give a file");
    EXPECT_NE(refusal(directory.path() / std::string(300, 'x')).find("File name too long"),
              std::string::npos);
}

TEST(CheckWritable, SaysThatPermissionIsMissing) {
    const TemporaryDirectory directory;
    const fs::path path = directory.path() / "protected.json";
    write_text(path, "old");
    fs::permissions(path, fs::perms::owner_read | fs::perms::others_read);
    fs::permissions(directory.path(), fs::perms::owner_read | fs::perms::owner_exec |
                                          fs::perms::others_read | fs::perms::others_exec);
    {
        const OrdinaryUser user;
        const std::string new_file = refusal(directory.path() / "new.json");
        EXPECT_NE(new_file.find("Permission denied"), std::string::npos) << new_file;
        const std::string old_file = refusal(path);
        EXPECT_NE(old_file.find("Permission denied"), std::string::npos) << old_file;
    }
    fs::permissions(directory.path(), fs::perms::owner_all);
    EXPECT_EQ(read_text(path), "old");
}

}  // namespace
}  // namespace loopbench
