// Programs that break the control protocol, each in another way: the run ends with status 5 and one
// line that says what happened, nothing hangs, nothing grows without bound, and no process is left.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

class ExternalSutTest : public testing::Test {
  protected:
    /// A fake of the test's own, so that its processes can be told from those of others.
    ExternalSutTest() {
        std::filesystem::copy_file(LOOPBENCH_FAKE_DIRECTORY "/loopbench-sut-fake", program_);
    }

    /// Runs the fake with these keys, and expects one line with all of `told`.
    void expect_failure(const std::string& keys, const std::string& workload,
                        const std::vector<std::string>& told) {
        SCOPED_TRACE(keys);
        std::vector<std::string> arguments{"run", "--loop=exec:" + program_ + keys,
                                           "--workload=" + workload, "--timeout=2", "--budget=3"};
        if (workload == "echo") arguments.emplace_back("--placement=lockstep");
        const Outcome outcome = run_loopbench(arguments);
        EXPECT_EQ(outcome.status, 5) << outcome.output;
        std::vector<std::string> lines = lines_of_loopbench(outcome.errors);
        ASSERT_EQ(lines.size(), 1U) << outcome.errors;
        for (const std::string& text : told) {
            EXPECT_NE(lines.front().find(text), std::string::npos)
                << "'" << text << "' is not in: " << outcome.errors;
        }
        EXPECT_NE(lines.front().find("exec:" + program_ + keys), std::string::npos)
            << lines.front();
        EXPECT_LT(outcome.peak_rss_kib, 512 * 1024);
        EXPECT_EQ(processes_of(program_), std::vector<pid_t>{});
    }

    /// What it says itself: not the last lines of others, nor notes about the machine.
    static std::vector<std::string> lines_of_loopbench(const std::string& errors) {
        std::vector<std::string> lines;
        std::istringstream stream(errors);
        for (std::string line; std::getline(stream, line);) {
            if (line.starts_with("loopbench: ")) lines.push_back(line);
        }
        return lines;
    }

    TestDirectory directory_;
    std::string program_ = directory_.file("fake");
};

TEST_F(ExternalSutTest, AWrongAnswerIsTold) {
    expect_failure("+misbehave=garbage+at=describe", "echo", {"'describe'", "is not JSON"});
    expect_failure("+misbehave=garbage+at=setup", "echo", {"'setup'", "is not JSON"});
    expect_failure("+misbehave=untyped+at=setup", "echo", {"'setup'", "no 'type'"});
    expect_failure("+misbehave=version+at=describe", "echo", {"version 99", "version 1"});
    expect_failure("+misbehave=other+at=describe", "echo", {"'other'", "'description' was due"});
    expect_failure("+misbehave=other+at=slice", "pingpong", {"'other'", "'done' was due"});
    expect_failure("+misbehave=deaf+at=setup", "echo", {"/nonexistent/socket"});
}

TEST_F(ExternalSutTest, SilenceEndsWithTheTimeout) {
    expect_failure("+misbehave=silence+at=describe", "echo", {"'describe' within 2 s"});
    expect_failure("+misbehave=silence+at=setup", "echo", {"'setup' within 2 s"});
    expect_failure("+misbehave=silence+at=slice", "pingpong", {"'slice' within"});
}

TEST_F(ExternalSutTest, AnEchoThatDoesNotComeBackIsToldByTheDriver) {
    expect_failure("+misbehave=silence+at=data", "echo", {"the driver of", "no answer for 1 s"});
}

TEST_F(ExternalSutTest, FloodsAreCutOff) {
    expect_failure("+misbehave=flood+at=describe", "echo", {"more than 16 MiB"});
    expect_failure("+misbehave=long+at=setup", "echo", {"more than 16 MiB"});
    expect_failure("+misbehave=lines+at=setup", "echo", {"'setup'"});
    expect_failure("+misbehave=lines+at=mark", "pingpong", {});
    expect_failure("+misbehave=lines+at=data", "echo", {"spoke unasked during 'slice'"});
    expect_failure("+misbehave=noise+at=setup", "echo", {"'setup' within 2 s"});
}

TEST_F(ExternalSutTest, AnEndIsTold) {
    for (const char* at : {"describe", "setup"}) {
        expect_failure(std::string("+misbehave=crash+at=") + at, "echo",
                       {"killed by signal 6", at});
        expect_failure(std::string("+misbehave=exit+at=") + at, "echo", {"with status 3", at});
    }
    expect_failure("+misbehave=crash+at=slice", "pingpong", {"killed by signal 6", "'slice'"});
    expect_failure("+misbehave=crash+at=data", "echo", {"killed by signal 6", "'slice'"});
}

TEST_F(ExternalSutTest, AClosedOutputIsTold) {
    expect_failure("+misbehave=close+at=describe", "echo", {"closed its standard output"});
    expect_failure("+misbehave=close+at=setup", "echo", {"closed its standard output"});
}

TEST_F(ExternalSutTest, OneThatDoesNotQuitIsKilled) {
    expect_failure("+misbehave=silence+at=quit", "echo", {"did not end within 2 s of 'quit'"});
    expect_failure("+misbehave=exit+at=quit", "echo", {"exited with status 3 after 'quit'"});
}

TEST_F(ExternalSutTest, AMissingInterpreterIsTold) {
    const std::string script = directory_.file("script");
    std::ofstream(script) << "#!/nonexistent/interpreter\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    const Outcome outcome = run_loopbench({"run", "--loop=exec:" + script, "--workload=echo"});
    EXPECT_EQ(outcome.status, 5);
    EXPECT_NE(outcome.errors.find("could not be started"), std::string::npos) << outcome.errors;
    EXPECT_NE(outcome.errors.find("interpreter"), std::string::npos) << outcome.errors;
}

}  // namespace
}  // namespace loopbench
