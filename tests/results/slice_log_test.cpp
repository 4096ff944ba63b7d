#include "results/slice_log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <stdexcept>
#include <system_error>

#include "tests/results/temporary_directory.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

TEST(SliceLog, IsNamedAfterTheResult) {
    EXPECT_EQ(SliceLog::path_for("some/result.json"), "some/result.json.slices.jsonl");
}

TEST(SliceLog, IsReadBackLineByLine) {
    const TemporaryDirectory directory;
    const auto path = directory.path() / "log";
    SliceLog log(path, {{"plan", "x\ny"}});
    log.append({{"slice", 1}});
    // Read while it is still being written, as after a crash.
    EXPECT_EQ(read_slice_log(path).slices.size(), 1U);
    log.append({{"slice", 2}});
    const SliceLogContents contents = read_slice_log(path);
    EXPECT_EQ(contents.header, (json{{"plan", "x\ny"}}));
    EXPECT_EQ(contents.slices, (std::vector<json>{{{"slice", 1}}, {{"slice", 2}}}));
    EXPECT_FALSE(contents.torn);
    log.remove();
    EXPECT_EQ(directory.entries(), 0U);
}

TEST(SliceLog, StartsAnew) {
    const TemporaryDirectory directory;
    const auto path = directory.path() / "log";
    write_text(path, "left by an earlier run\n");
    const SliceLog log(path, json::object());
    EXPECT_TRUE(read_slice_log(path).slices.empty());
    EXPECT_THROW(SliceLog(directory.path() / "none" / "log", json::object()), std::system_error);
}

TEST(SliceLog, ATornLastLineIsLeftOutWhereverItWasCut) {
    const TemporaryDirectory directory;
    const auto path = directory.path() / "log";
    const std::string whole = "{\"h\":1}\n{\"slice\":1}\n";
    const std::string last = "{\"slice\":23}\n";
    for (std::size_t cut = 1; cut < last.size(); ++cut) {
        write_text(path, whole + last.substr(0, cut));
        const SliceLogContents contents = read_slice_log(path);
        EXPECT_TRUE(contents.torn) << cut;
        EXPECT_EQ(contents.slices.size(), 1U) << cut;
    }
    write_text(path, whole + last);
    EXPECT_FALSE(read_slice_log(path).torn);
    EXPECT_EQ(read_slice_log(path).slices.size(), 2U);
}

TEST(SliceLog, AWriteThatFailsLeavesTheLinesBeforeItReadable) {
    const TemporaryDirectory directory;
    const auto path = directory.path() / "log";
    SliceLog log(path, json::object());
    log.append({{"slice", 1}});
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    EXPECT_THROW(log.append({{"slice", std::string(200, 'x')}}), std::system_error);
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    log.append({{"slice", 2}});
    const SliceLogContents contents = read_slice_log(path);
    EXPECT_EQ(contents.slices, (std::vector<json>{{{"slice", 1}}, {{"slice", 2}}}));
    EXPECT_FALSE(contents.torn);
}

TEST(SliceLog, DamageElsewhereIsAnErrorThatNamesTheLine) {
    const TemporaryDirectory directory;
    const auto path = directory.path() / "log";
    const auto error_of = [&](const std::string& text) -> std::string {
        write_text(path, text);
        try {
            read_slice_log(path);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(error_of("{}\n{\"slice\":\n{}\n").find("line 2"), std::string::npos);
    EXPECT_NE(error_of("{}\n{}\n[]\n").find("line 3"), std::string::npos);
    EXPECT_NE(error_of("").find("no header"), std::string::npos);
    EXPECT_NE(error_of("{\"pla").find("no header"), std::string::npos);
    EXPECT_THROW(read_slice_log(directory.path() / "none"), std::invalid_argument);
}

}  // namespace
}  // namespace loopbench
