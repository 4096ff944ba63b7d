// The harness's end of the control protocol, against a SUT that keeps it and breaks it.

#include "harness/conversation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "harness/sut_process.hpp"

namespace loopbench {
namespace {

using std::chrono::milliseconds;

class ConversationTest : public testing::Test {
  protected:
    std::unique_ptr<SutProcess> start(const std::map<std::string, std::string>& keys) {
        ArmSpec arm;
        arm.id = "the fake";
        ChildOptions options;
        options.command = {LOOPBENCH_FAKE_SUT};
        Patience patience;
        patience.answer = patience.slice = milliseconds(5000);
        auto sut = std::make_unique<SutProcess>(arm, options, signals_, patience);
        sut->release();
        if (!keys.empty()) sut->describe(keys);
        return sut;
    }

    /// What is said of a SUT that misbehaves `how` when it is asked to mark.
    std::string complaint(const std::string& how) {
        const auto sut = start({{"misbehave", how}, {"at", "mark"}});
        try {
            sut->mark();
        } catch (const ProcessError& error) {
            EXPECT_EQ(error.who(), "the fake");
            EXPECT_EQ(error.last_lines(), std::vector<std::string>{"misbehaving: " + how});
            return error.what();
        }
        return "no complaint";
    }

    StopSignals signals_;
};

TEST_F(ConversationTest, ASutThatBehavesIsMarkedAndQuits) {
    const auto sut = start({});
    EXPECT_EQ(sut->describe({})["name"], "fake");
    sut->set_up({"pingpong", {}, 1, "", nlohmann::json::object()});
    EXPECT_EQ(sut->slice(1000, milliseconds(1)).operations, 1000U);
    const Counters counters = sut->mark();
    EXPECT_EQ(counters.at("task_switches"), 1000U);
    EXPECT_EQ(counters.at("allocations"), std::nullopt);
    sut->quit();
    EXPECT_TRUE(sut->child().ended_well());
}

TEST_F(ConversationTest, AnEndIsToldWithItsSignalOrStatus) {
    EXPECT_EQ(complaint("crash"),
              "was killed by signal 6 (Aborted) while it was "
              "asked to 'mark'");
    EXPECT_EQ(complaint("exit"), "exited with status 3 while it was asked to 'mark'");
}

TEST_F(ConversationTest, ABrokenProtocolIsToldWithTheLine) {
    EXPECT_EQ(complaint("garbage"),
              "broke the protocol in its answer to 'mark': the answer is not JSON: this is { not "
              "JSON");
    EXPECT_NE(complaint("untyped").find("has no 'type'"), std::string::npos);
    EXPECT_NE(complaint("schema").find("/counters/turns"), std::string::npos);
    EXPECT_EQ(complaint("chatter"), "answered 'mark' with more than one line");
}

TEST_F(ConversationTest, AnEndlessLineIsCutOff) {
    EXPECT_EQ(complaint("flood"), "answered 'mark' with a line of more than 16 MiB");
}

TEST_F(ConversationTest, ARefusalCarriesTheRemedy) {
    const auto sut = start({{"misbehave", "error"}, {"at", "mark"}});
    try {
        sut->mark();
        FAIL();
    } catch (const RefusedError& error) {
        EXPECT_STREQ(error.what(), "the fake is unwell");
        EXPECT_EQ(error.remedy(), "be kind to it");
    }
}

TEST_F(ConversationTest, SilenceEndsWithTheTimeout) {
    const auto sut = start({{"misbehave", "silence"}, {"at", "mark"}});
    try {
        sut->conversation().ask({{"type", "mark"}}, "marked", milliseconds(50));
        FAIL();
    } catch (const ProcessError& error) {
        EXPECT_STREQ(error.what(), "did not answer 'mark' within 0.05 s");
    }
}

TEST_F(ConversationTest, AFloodOfErrorsDoesNotFillTheMemoryButItsEndIsKept) {
    const auto sut = start({{"misbehave", "noise"}, {"at", "mark"}});
    const std::string errors = fmt::format("/proc/{}/fd/2", sut->child().pid());
    try {
        sut->conversation().ask({{"type", "mark"}}, "marked", milliseconds(3000));
        FAIL();
    } catch (const ProcessError& error) {
        EXPECT_EQ(error.last_lines(), std::vector<std::string>(5, "noise"));
    }
    EXPECT_LE(std::filesystem::file_size(errors), 2U << 20) << "of the 6 MiB that it wrote";
}

TEST_F(ConversationTest, AProgramThatCannotBeRunIsTold) {
    ArmSpec arm;
    arm.id = "nobody";
    ChildOptions options;
    options.command = {"/nonexistent/program"};
    SutProcess sut(arm, options, signals_, Patience{});
    try {
        sut.release();
        FAIL();
    } catch (const ProcessError& error) {
        EXPECT_STREQ(error.what(), "could not be started: No such file or directory");
    }
}

TEST_F(ConversationTest, AScriptWithoutItsInterpreterIsTold) {
    std::string script = testing::TempDir() + "script-XXXXXX";
    const int file = mkstemp(script.data());
    const std::string text = "#! /nonexistent/python3 -I\nprint()\n";
    ASSERT_EQ(write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    fchmod(file, 0700);
    close(file);
    ArmSpec arm;
    arm.id = "a script";
    ChildOptions options;
    options.command = {script};
    SutProcess sut(arm, options, signals_, Patience{});
    try {
        sut.release();
        FAIL();
    } catch (const ProcessError& error) {
        EXPECT_EQ(error.what(), "could not be started: " + script +
                                    " is a script for /nonexistent/python3, which is missing; "
                                    "install that interpreter");
    }
    unlink(script.c_str());
}

TEST_F(ConversationTest, TheEndOfThePartnerIsThePartnersError) {
    const auto server = start({});
    ArmSpec arm;
    arm.id = "the driver";
    ChildOptions options;
    options.command = {LOOPBENCH_FAKE_SUT};
    Conversation driver("the driver", options, signals_);
    driver.release();
    driver.ask({{"type", "describe"}, {"keys", {{"misbehave", "silence"}, {"at", "mark"}}}},
               "description", milliseconds(5000));
    kill(server->child().pid(), SIGKILL);
    try {
        driver.ask({{"type", "mark"}}, "marked", milliseconds(5000), &server->conversation());
        FAIL();
    } catch (const ProcessError& error) {
        EXPECT_EQ(error.who(), "the fake");
        EXPECT_STREQ(error.what(), "was killed by signal 9 (Killed) while it was asked to 'mark'");
    }
}

TEST_F(ConversationTest, AStopSignalInterruptsTheWaiting) {
    const auto sut = start({{"misbehave", "silence"}, {"at", "mark"}});
    kill(getpid(), SIGTERM);
    EXPECT_THROW(sut->mark(), Interrupted);
    EXPECT_THROW(signals_.check(), Interrupted) << "it stays interrupted";
}

TEST_F(ConversationTest, NoProcessIsLeftBehind) {
    pid_t pid = 0;
    {
        const auto sut = start({{"misbehave", "silence"}, {"at", "mark"}});
        pid = sut->child().pid();
    }
    EXPECT_EQ(kill(pid, 0), -1) << "killed and reaped";
}

}  // namespace
}  // namespace loopbench
