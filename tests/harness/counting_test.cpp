// What is counted from outside a SUT, held against other ways of counting the same.

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "harness/checks.hpp"
#include "harness/counters.hpp"
#include "harness/placement.hpp"
#include "harness/scratch_directory.hpp"
#include "harness/signals.hpp"
#include "harness/station.hpp"
#include "harness/workload_parameters.hpp"

namespace loopbench {
namespace {

class CountingTest : public testing::Test {
  protected:
    CountingTest() {
        plan_.workload = find_workload("--workload", "echo");
        plan_.params = resolve_parameters(plan_.workload, {{"connections", "1"}});
        arm_.spec.id = "the loop";
        arm_.program = LOOPBENCH_SUT;
        settings_.driver_program = LOOPBENCH_DRIVER;
        settings_.processors.sut = allowed_processors().back();
        options_.listen = "unix:" + (scratch_.path() / "socket").string();
    }

    static Work rounds(std::uint64_t count) {
        Work work;
        work.driven.rounds = count;
        return work;
    }

    /// System calls of a SUT from its start to the end of `count` rounds.
    std::optional<std::uint64_t> traced(std::uint64_t count) {
        StationOptions options = options_;
        options.count_syscalls = true;
        Station station(plan_, arm_, settings_, options, signals_);
        station.work(rounds(count));
        const auto calls = station.syscalls();
        if (!calls) reason_ = station.no_syscall_counter();
        station.finish();
        return calls;
    }

    /// System calls of a SUT in its life, with `count` rounds in it, as strace counts them.
    std::uint64_t straced(std::uint64_t count) {
        const std::filesystem::path summary = scratch_.path() / "strace";
        Settings settings = settings_;
        settings.sut_prefix = {"strace", "-c", "-f", "-o", summary.string()};
        Station station(plan_, arm_, settings, options_, signals_);
        station.work(rounds(count));
        station.finish();
        return total(summary);
    }

    /// The number of calls in the last line of strace's table: "100.00 0.001 2 345 6 total".
    static std::uint64_t total(const std::filesystem::path& summary) {
        std::ifstream file(summary);
        std::string line, last;
        while (std::getline(file, line)) last = line;
        std::istringstream words(last);
        double percent = 0, seconds = 0;
        std::uint64_t microseconds_per_call = 0, calls = 0;
        words >> percent >> seconds >> microseconds_per_call >> calls;
        EXPECT_TRUE(words && last.ends_with("total")) << last;
        return calls;
    }

    ScratchDirectory scratch_;
    StopSignals signals_;
    CasePlan plan_;
    ReadyArm arm_;
    Settings settings_;
    StationOptions options_;
    std::string reason_;
};

TEST_F(CountingTest, ProcessorTimeAgreesWithTheSchedulersStatistics) {
    Station station(plan_, arm_, settings_, options_, signals_);
    double cpu_ns = 0, running_ns = 0;
    for (int slice = 0; slice < 4; ++slice) {
        const CountedSlice counted = station.count(rounds(5000));
        if (!counted.counts.running_ns) GTEST_SKIP() << "this kernel keeps no schedstat";
        cpu_ns += static_cast<double>(counted.slice.cpu_ns.value());
        running_ns += static_cast<double>(*counted.counts.running_ns);
    }
    station.finish();
    EXPECT_GT(cpu_ns, 0);
    EXPECT_NEAR(cpu_ns / running_ns, 1, 0.03);
}

TEST_F(CountingTest, SystemCallsAgreeWithStrace) {
    if (std::system("strace -c -o /dev/null true") != 0) {
        GTEST_SKIP() << "strace is not there, or may not trace";
    }
    // Looking for leaks at its end, LeakSanitizer cannot bear to be traced.
    const char* before = getenv("ASAN_OPTIONS");
    setenv("ASAN_OPTIONS", (std::string(before ? before : "") + ":detect_leaks=0").c_str(), 1);
    constexpr std::uint64_t n = 1000;
    const auto once = traced(n), twice = traced(2 * n);
    if (!once || !twice) GTEST_SKIP() << reason_;
    const std::uint64_t more = *twice - *once;
    EXPECT_GE(more, 2 * n);  // a receive and a send at the least
    // Whether the first message comes in the turn of its connection is chance, and a sanitizer
    // makes a few calls of its own: a handful of thousands.
    constexpr double chance = 30;
    EXPECT_NEAR(static_cast<double>(straced(2 * n) - straced(n)), static_cast<double>(more),
                chance);
}

/// A child that runs `body`, killed at the end.
class Child {
  public:
    explicit Child(void (*body)()) : pid_(fork()) {
        if (pid_ == 0) {
            body();
            _exit(0);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    pid_t pid() const { return pid_; }

  private:
    pid_t pid_;
};

TEST(CounterReaderTest, TellsWhoSleepsFromWhoRuns) {
    const Child sleeper([] { pause(); });
    const Child runner([] {
        for (volatile bool forever = true; forever;) {
        }
    });
    const CounterReader sleeping(sleeper.pid()), running(runner.pid());
    while (!sleeping.asleep()) sched_yield();  // it has to get there
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(running.asleep());
}

TEST(ConditionsTest, OtherProgramsThatRunAreTold) {
    const Child runner([] {
        for (volatile bool forever = true; forever;) {
        }
    });
    std::string ids;
    for (const Warning& warning : check_conditions({}, {})) ids += warning.id + ' ';
    EXPECT_NE(ids.find("other_load"), std::string::npos) << ids;
}

}  // namespace
}  // namespace loopbench
