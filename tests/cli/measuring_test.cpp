// Whole runs against the fake SUT: what is written, and how a run ends when something fails.

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/address.hpp"
#include "results/validation.hpp"
#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

/// Waits until `condition` holds; fails the test when it does not for a minute.
void await(const std::function<bool()>& condition, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain: " << what;
        std::this_thread::yield();
    }
}

int allowed_processors() {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

json read_result_file(const std::string& path) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const json result = json::parse(text);
    EXPECT_EQ(validate_result(result), std::vector<std::string>{});
    return result;
}

class MeasuringTest : public testing::Test {
  protected:
    /// A short run of the fake, written to `result_`.
    std::vector<std::string> short_run(const std::string& workload,
                                       const std::vector<std::string>& more = {},
                                       const std::string& loop = "fake") {
        std::vector<std::string> arguments{
            "run",        "--loop=" + loop, "--workload=" + workload, "--blocks=6",
            "--slices=1", "--slice-ms=3",   "--json=" + result_};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    /// A run that goes on until it is stopped, and has measured at least one slice.
    std::unique_ptr<Program> endless_run() {
        auto program = std::make_unique<Program>(
            std::vector<std::string>{"run", "--loop=fake", "--workload=echo", "--budget=3600",
                                     "--precision=0", "--placement=lockstep", "--json=" + result_});
        await([&] { return lines_of(result_ + ".slices.jsonl") > 1; }, "a slice in the log");
        return program;
    }

    static std::size_t lines_of(const std::string& path) {
        std::ifstream file(path);
        return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
    }

    static pid_t find_sut(const Program& program) {
        for (const pid_t child : program.children()) {
            if (program_name(child).starts_with("fake-sut") ||
                program_name(child).starts_with("loopbench-sut-f")) {
                return child;
            }
        }
        return -1;
    }

    TestDirectory directory_;
    std::string result_ = directory_.file("result.json");
};

TEST_F(MeasuringTest, EchoIsMeasuredInBothPlacements) {
    const Outcome outcome = run_loopbench(short_run("echo", {"--connections=4"}));
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    EXPECT_NE(outcome.output.find("CPU per operation"), std::string::npos) << outcome.output;
    EXPECT_NE(outcome.output.find("lockstep"), std::string::npos);
    const json result = read_result_file(result_);
    EXPECT_EQ(result["complete"], true);
    EXPECT_EQ(result["cases"][0]["placement"], "lockstep");
    const json& metrics = result["cases"][0]["metrics"];
    const json& cost = metrics["cpu_ns_per_op"];
    EXPECT_GT(cost["n"], 0);
    EXPECT_EQ(cost["ci95"].is_array(), cost["n"] == 6) << "a slice may be disturbed: " << cost;
    EXPECT_GT(metrics["throughput"]["median"], 0);
    EXPECT_EQ(metrics["allocations_per_op"]["median"], nullptr);
    EXPECT_FALSE(metrics.contains("offered_rate")) << "a closed loop offers none";
    EXPECT_FALSE(std::filesystem::exists(result_ + ".slices.jsonl"));
}

TEST_F(MeasuringTest, AnOpenLoopIsMeasuredInSplitPlacementAtItsRate) {
    if (allowed_processors() < 2) GTEST_SKIP() << "it needs two processors";
    const Outcome outcome = run_loopbench(short_run("echo", {"--connections=4", "--rate=8000"}));
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    EXPECT_NE(outcome.output.find("send lag p50"), std::string::npos) << outcome.output;
    const json result = read_result_file(result_);
    ASSERT_EQ(result["cases"].size(), 1U);
    EXPECT_EQ(result["cases"][0]["placement"], "split");
    EXPECT_EQ(result["cases"][0]["params"]["rate"], 8000);
    const json& metrics = result["cases"][0]["metrics"];
    EXPECT_EQ(metrics["achieved_rate"]["median"], metrics["throughput"]["median"]);
    // Of a disturbed slice as well, which gives no figure.
    ASSERT_FALSE(result["cases"][0]["samples"].empty());
    for (const json& sample : result["cases"][0]["samples"]) {
        EXPECT_EQ(sample["metrics"]["offered_rate"], 8000);
        EXPECT_GT(sample["metrics"]["achieved_share"], 0);
    }
    EXPECT_FALSE(result["plan"]["placements"][0].contains("offered_rate"));
}

TEST_F(MeasuringTest, ARateInPercentIsThatShareOfTheSlowestArm) {
    if (allowed_processors() < 2) GTEST_SKIP() << "it needs two processors";
    const Outcome outcome = run_loopbench(short_run(
        "echo", {"--reference=fake+corrupt=no", "--connections=4", "--rate=25%", "--budget=5"}));
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    EXPECT_NE(outcome.output.find("25% of what fake"), std::string::npos) << outcome.output;
    const json result = read_result_file(result_);
    const json& origin = result["plan"]["placements"][0]["offered_rate"];
    EXPECT_EQ(origin["wanted"], "25%");
    const json& maxima = origin["closed_loop_maxima"];
    ASSERT_EQ(maxima.size(), 2U);
    const double least =
        std::min(maxima["fake"].get<double>(), maxima["fake+corrupt=no"].get<double>());
    ASSERT_EQ(result["cases"].size(), 2U);
    for (const json& one : result["cases"]) {
        EXPECT_NEAR(one["params"]["rate"].get<double>(), least / 4, 0.5);
        ASSERT_FALSE(one["samples"].empty());
        for (const json& sample : one["samples"]) {
            EXPECT_EQ(sample["metrics"]["offered_rate"], one["params"]["rate"]);
        }
    }
}

TEST_F(MeasuringTest, WorkWithinTheProcessNeedsNoDriver) {
    const Outcome outcome = run_loopbench(short_run("pingpong"));
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    const json result = read_result_file(result_);
    EXPECT_EQ(result["cases"][0]["placement"], "in-process");
    EXPECT_GT(result["cases"][0]["metrics"]["cpu_ns_per_switch"]["median"], 0);
    EXPECT_GT(result["cases"][0]["metrics"]["task_switches_per_second"]["median"], 0);
}

TEST_F(MeasuringTest, WorkThatTakesNoTimeIsMeasuredAllTheSame) {
    const Outcome outcome = run_loopbench(short_run("pingpong", {}, "fake+instant=yes"));
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    const json result = read_result_file(result_);
    EXPECT_EQ(result["complete"], true);
    EXPECT_GT(result["cases"][0]["metrics"]["cpu_ns_per_switch"]["median"], 0);
}

TEST_F(MeasuringTest, AReferenceGivesRatios) {
    const Outcome outcome = run_loopbench(
        short_run("pingpong", {"--reference=fake+corrupt=no", "--slice-rounds=20000"}));
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    const json result = read_result_file(result_);
    ASSERT_EQ(result["cases"].size(), 2U);
    EXPECT_EQ(result["cases"][0]["samples"][0]["operations"], 20000);
    EXPECT_EQ(result["comparisons"][0]["reference"], "fake+corrupt=no");
    const json& comparison = result["comparisons"][0];
    EXPECT_TRUE(comparison["ratio"].is_number()) << comparison;
    EXPECT_EQ(comparison["ci95"].is_array(), comparison["n"] == 6) << comparison;
}

TEST_F(MeasuringTest, AConfigFileSpeaksLikeTheCommandLine) {
    std::ofstream(directory_.file("config")) << "connections=3\nslice_rounds=50\n";
    const Outcome outcome =
        run_loopbench(short_run("echo", {"--config=" + directory_.file("config"), "--connections=5",
                                         "--placement=lockstep"}));
    EXPECT_TRUE(was_measured(outcome)) << outcome.errors;
    const json result = read_result_file(result_);
    EXPECT_EQ(result["cases"][0]["params"]["connections"], 5) << "what is typed wins";
    EXPECT_EQ(result["cases"][0]["samples"][0]["rounds"], 50);
}

TEST_F(MeasuringTest, ASutThatCrashesIsNamed) {
    for (const char* at : {"setup", "mark"}) {
        const std::string loop = std::string("fake+misbehave=crash+at=") + at;
        const Outcome outcome = run_loopbench(short_run("echo", {}, loop));
        EXPECT_EQ(outcome.status, 5);
        EXPECT_NE(outcome.errors.find(loop + ": was killed by signal 6"), std::string::npos)
            << outcome.errors;
        EXPECT_NE(outcome.errors.find("misbehaving: crash"), std::string::npos);
        EXPECT_EQ(read_result_file(result_)["complete"], false);
    }
}

TEST_F(MeasuringTest, WrongBytesFailTheArm) {
    const Outcome outcome = run_loopbench(short_run("echo", {}, "fake+corrupt=yes"));
    EXPECT_EQ(outcome.status, 5);
    EXPECT_NE(outcome.errors.find("fake+corrupt=yes"), std::string::npos) << outcome.errors;
}

TEST_F(MeasuringTest, AKilledSutIsNamedAndWhatWasMeasuredIsKept) {
    const auto program = endless_run();
    await([&] { return find_sut(*program) > 0; }, "a SUT");
    kill(find_sut(*program), SIGKILL);
    const Outcome outcome = program->wait();
    EXPECT_EQ(outcome.status, 5);
    EXPECT_NE(outcome.errors.find("fake: was killed by signal 9"), std::string::npos)
        << outcome.errors;
    const json result = read_result_file(result_);
    EXPECT_EQ(result["complete"], false);
    EXPECT_GT(result["cases"][0]["samples"].size(), 0U);
}

TEST_F(MeasuringTest, CtrlCWritesWhatWasMeasured) {
    const auto program = endless_run();
    const std::vector<pid_t> children = program->children();
    program->send(SIGINT);
    const Outcome outcome = program->wait();
    EXPECT_EQ(outcome.status, 130);
    const json result = read_result_file(result_);
    EXPECT_EQ(result["complete"], false);
    EXPECT_GT(result["cases"][0]["samples"].size(), 0U);
    for (const pid_t child : children) EXPECT_EQ(kill(child, 0), -1) << "left behind";
}

TEST_F(MeasuringTest, AKilledHarnessLeavesNoProcess) {
    const auto program = endless_run();
    await([&] { return program->children().size() == 2; }, "a SUT and a driver");
    const std::vector<pid_t> children = program->children();
    program->send(SIGKILL);
    program->wait();
    for (const pid_t child : children) {
        await([&] { return program_name(child).empty() || kill(child, 0) != 0; }, "its end");
    }
    EXPECT_GT(lines_of(result_ + ".slices.jsonl"), 1U) << "the log survives";
}

TEST_F(MeasuringTest, ServeAnswersAForeignClientAndStopsCleanly) {
    const std::string address = "unix:" + directory_.file("socket");
    Program server({"serve", "--loop=fake", "--workload=echo", "--listen=" + address});
    ASSERT_EQ(server.first_line(), address);
    const Address target = parse_address(address);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(client, target.data(), target.length), 0);
    ASSERT_EQ(write(client, "hello", 5), 5);
    char answer[5];
    ASSERT_EQ(recv(client, answer, sizeof answer, MSG_WAITALL), 5);
    EXPECT_EQ(std::string(answer, 5), "hello");
    close(client);

    const Outcome driven =
        run_loopbench({"drive", "--target=" + address, "--workload=echo", "--blocks=6",
                       "--slices=1", "--slice-ms=3", "--json=" + result_});
    EXPECT_EQ(driven.status, 0) << driven.errors;
    const json metrics = read_result_file(result_)["cases"][0]["metrics"];
    EXPECT_GT(metrics["throughput"]["median"], 0);
    EXPECT_EQ(metrics["cpu_ns_per_op"]["median"], nullptr);
    EXPECT_NE(metrics["cpu_ns_per_op"]["reason"], "");

    server.send(SIGTERM);
    const Outcome served = server.wait();
    EXPECT_EQ(served.status, 0) << served.errors;
}

TEST_F(MeasuringTest, DriveTellsWhenNobodyListens) {
    const Outcome outcome =
        run_loopbench({"drive", "--target=unix:" + directory_.file("nobody"), "--workload=echo"});
    EXPECT_EQ(outcome.status, 5);
    EXPECT_NE(outcome.errors.find("nobody"), std::string::npos) << outcome.errors;
}

TEST(ListTest, EverythingIsListedAsJson) {
    const Outcome outcome = run_loopbench({"list", "--json"});
    EXPECT_EQ(outcome.status, 0);
    const json lists = json::parse(outcome.output);
    EXPECT_EQ(lists["workloads"][0]["name"], "echo");
    EXPECT_FALSE(lists["metrics"].empty());
    EXPECT_EQ(lists["loops"][0]["name"], "fake");
    EXPECT_EQ(lists["loops"][0]["found"], "LOOPBENCH_PATH");
}

TEST(HelpTest, GoesToStandardOutput) {
    const Outcome outcome = run_loopbench({"run", "--help"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.output.find("--connections"), std::string::npos);
    EXPECT_EQ(outcome.errors, "");
    EXPECT_EQ(run_loopbench({"--version"}).output, std::string(LOOPBENCH_VERSION) + "\n");
}

}  // namespace
}  // namespace loopbench
