// Bad input ends with status 2 and one line that names the flag, the value and what would do,
// before anything is measured.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "harness/address.hpp"
#include "tests/cli/program.hpp"

namespace loopbench {
namespace {

struct BadInput {
    std::vector<std::string> arguments;
    std::vector<std::string> told;  ///< what the line must hold
};

std::vector<std::string> run_with(std::vector<std::string> more) {
    std::vector<std::string> arguments{"run", "--loop=fake", "--workload=echo"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

void expect_refused(const BadInput& bad) {
    std::string line = "loopbench";
    for (const std::string& argument : bad.arguments) line += " " + argument;
    SCOPED_TRACE(line);
    const Outcome outcome = run_loopbench(bad.arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
    for (const std::string& text : bad.told) {
        EXPECT_NE(outcome.errors.find(text), std::string::npos)
            << "'" << text << "' is not in: " << outcome.errors;
    }
}

const BadInput table[] = {
    // Commands and flags
    {{}, {"run", "serve", "drive", "list"}},
    {{"rnu"}, {"rnu", "did you mean run?"}},
    {{"bananas"}, {"bananas", "one of run"}},
    {{"run"}, {"--loop", "--loop=epoll"}},
    {{"run", "--loop=fake"}, {"--workload", "--workload=echo"}},
    {run_with({"--conections=3"}), {"--conections=3", "did you mean --connections?"}},
    {run_with({"--frobnicate"}), {"--frobnicate", "run --help"}},
    {run_with({"surplus"}), {"surplus", "flags only"}},
    {run_with({"--size"}), {"--size", "--size=VALUE"}},
    {run_with({"--size=1", "--size=2"}), {"--size", "once"}},
    {{"list", "lops"}, {"lops", "did you mean loops?"}},
    {{"list", "--check=fkae"}, {"--check=fkae", "did you mean fake?"}},
    {{"list", "--check=exec:/nonexistent"}, {"--check=exec:/nonexistent", "not an executable"}},
    {{"list", "--check="}, {"--check", "a value is missing"}},
    {{"list", "loops", "--check=fake"}, {"list loops", "--check"}},
    {{"list", "--check=fake", "--timeout=0"}, {"--timeout=0", "from 0.1"}},
    {{"doctor", "--cpus=999"}, {"--cpus=999", "999 does not exist"}},
    {{"doctor", "--jsn"}, {"--jsn", "did you mean --json?"}},
    // Arms and workloads
    {{"run", "--loop=fkae", "--workload=echo"}, {"--loop=fkae", "did you mean fake?"}},
    {{"run", "--loop=fake,fake", "--workload=echo"}, {"--loop=fake,fake", "not a list"}},
    {{"run", "--loop=", "--workload=echo"}, {"--loop"}},
    {{"run", "--loop=fake+x", "--workload=echo"}, {"--loop=fake+x", "+key=value"}},
    {{"run", "--loop=fake+att=mark", "--workload=echo"}, {"att", "did you mean at?"}},
    {{"run", "--loop=exec:/nonexistent", "--workload=echo"}, {"exec:/nonexistent", "executable"}},
    {{"run", "--loop=exec:/etc/passwd", "--workload=echo"}, {"exec:/etc/passwd", "executable"}},
    {{"run", "--loop=fake+available=no", "--workload=echo"},
     {"cannot work on this machine", "it was told so", "tell it otherwise"}},
    {{"run", "--loop=fake+misbehave=error+at=describe", "--workload=echo"},
     {"the fake is unwell", "be kind to it"}},
    {{"run", "--loop=fake", "--workload=ehco"}, {"--workload=ehco", "did you mean echo?"}},
    {{"run", "--loop=fake", "--workload=echo,timers"}, {"--workload=echo,timers", "not a list"}},
    {{"run", "--loop=fake", "--workload=fanin"}, {"--loop=fake", "fanin", "echo, pingpong"}},
    {run_with({"--reference=fake"}), {"--reference=fake", "itself"}},
    {run_with({"--reference=nobody"}), {"--reference=nobody"}},
    // Comparing and deciding
    {{"compare", "--loops=fake"}, {"--workloads", "--workloads=echo"}},
    {{"compare", "--workloads=echo"}, {"--loops", "--loops=epoll,uv"}},
    {{"compare", "--loops=fake,fake", "--workloads=echo"}, {"--loops=fake,fake", "comes twice"}},
    {{"compare", "--loops=fake,", "--workloads=echo"}, {"--loops=fake,", "a word is missing"}},
    {{"compare", "--loops=fake", "--workloads=echo", "--reference=nobody"}, {"--reference=nobody"}},
    {{"compare", "--loops=fake", "--workloads=echo", "--reference=fake"},
     {"--loops=fake", "the reference itself"}},
    {{"compare", "--loops=fake+corrupt=no", "--workloads=echo", "--reference=fake", "--tasks=2"},
     {"--tasks=2", "echo has no such parameter"}},
    {{"compare", "--loops=fake+corrupt=no", "--workloads=echo", "--reference=fake",
      "--connections=1,many"},
     {"--connections=many", "whole number"}},
    {{"compare", "--loops=fake+corrupt=no", "--workloads=echo", "--reference=fake",
      "--metrics=cpu_ns_per_opp"},
     {"cpu_ns_per_opp", "did you mean cpu_ns_per_op?"}},
    {{"compare", "--loops=fake+corrupt=no", "--workloads=echo", "--reference=fake",
      "--margin=cpu_ns_per_op"},
     {"--margin=cpu_ns_per_op", "METRIC=PERCENT"}},
    {{"compare", "--loops=fake+corrupt=no", "--workloads=echo", "--reference=fake",
      "--margin=cpu_ns_per_op=-1"},
     {"--margin=-1", "percent"}},
    {{"gate", "--loops=fake"}, {"--against=DIR", "--baseline=FILE", "--aa"}},
    {{"gate", "--loops=fake", "--aa", "--against=/tmp"}, {"one of --against=DIR"}},
    {{"gate", "--loops=fake", "--against=/nonexistent"},
     {"--against=/nonexistent", "loopbench-sut-fake", "build tree"}},
    {{"gate", "--loops=fake", "--aa", "--inconclusive=maybe"}, {"--inconclusive=maybe", "pass"}},
    {{"gate", "--loops=fake", "--baseline=/nonexistent"},
     {"--baseline=/nonexistent", "no such file", "loopbench baseline"}},
    {{"gate", "--loops=fake", "--baseline=/etc/passwd"}, {"--baseline=/etc/passwd", "no baseline"}},
    {{"baseline"}, {"a file is needed"}},
    // Parameters of workloads
    {run_with({"--size=0"}), {"--size=0", "from 1"}},
    {run_with({"--size=-5"}), {"--size=-5", "from 1"}},
    {run_with({"--size=99999999999"}), {"--size=99999999999", "67108864"}},
    {run_with({"--size=64,128"}), {"--size=64,128", "one whole number"}},
    {run_with({"--size=big"}), {"--size=big", "whole number"}},
    {run_with({"--connections=0"}), {"--connections=0", "from 1"}},
    {run_with({"--active=65"}), {"--active=65", "64 connections"}},
    {run_with({"--transport=tpc"}), {"--transport=tpc", "did you mean tcp?"}},
    {run_with({"--rate=fast"}), {"--rate=fast", "operations a second", "200%"}},
    {run_with({"--rate=300%"}), {"--rate=300%", "200%"}},
    {run_with({"--rate=25%,50%"}), {"--rate=25%,50%", "one number"}},
    {run_with({"--rate=5000", "--placement=lockstep"}), {"--rate=5000", "--placement=split"}},
    {run_with({"--rate=50%", "--placement=lockstep"}), {"--rate=50%", "--placement=split"}},
    {run_with({"--rate=5000", "--pipeline=2"}), {"--pipeline=2", "--rate"}},
    {run_with({"--rate=1"}), {"--rate=1", "at least --rate=128"}},
    {{"run", "--loop=fake", "--workload=fanin", "--rate=5000"},
     {"--rate=5000", "fanin has no such parameter"}},
    {{"drive", "--workload=echo", "--target=127.0.0.1:7", "--rate=9", "--placement=lockstep"},
     {"--rate=9", "--placement=split"}},
    {run_with({"--pending=5"}), {"--pending=5", "echo has no such parameter"}},
    {run_with({"--connections=2000"}), {"--connections=2000", "below 1024", "--connections=992"}},
    {{"run", "--loop=fake", "--workload=timers", "--mix=1:1"},
     {"--mix=1:1", "start:cancel:expire"}},
    // Measuring
    {run_with({"--budget=0"}), {"--budget=0", "from 0.1"}},
    {run_with({"--budget=-1"}), {"--budget=-1", "from 0.1"}},
    {run_with({"--budget=soon"}), {"--budget=soon", "seconds"}},
    {run_with({"--budget=nan"}), {"--budget=nan", "seconds"}},
    {run_with({"--precision=200"}), {"--precision=200", "to 100"}},
    {run_with({"--slice-ms=0"}), {"--slice-ms=0", "from 1"}},
    {run_with({"--blocks=0"}), {"--blocks=0", "from 1"}},
    {run_with({"--seed=-1"}), {"--seed=-1", "from 0"}},
    {run_with({"--placement=apart"}), {"--placement=apart", "lockstep, split"}},
    {{"run", "--loop=fake", "--workload=timers", "--placement=split"}, {"--placement=split"}},
    {run_with({"--cpus=999,998"}), {"--cpus=999,998", "999 does not exist"}},
    {run_with({"--cpus=x"}), {"--cpus=x", "SUT,DRIVER"}},
    {run_with({"--sut-prefix="}), {"--sut-prefix", "a value is missing"}},
    {run_with({"--sut-prefix='open"}), {"--sut-prefix", "program"}},
    // Files and addresses
    {run_with({"--json=/nonexistent/result.json"}), {"--json=/nonexistent/result.json"}},
    {run_with({"--json=/"}), {"--json=/"}},
    {run_with({"--config=/nonexistent"}), {"--config=/nonexistent", "cannot be read"}},
    {{"serve", "--loop=fake", "--workload=echo"}, {"--listen", "--listen=127.0.0.1:7000"}},
    {{"serve", "--loop=fake", "--workload=echo", "--listen=nowhere"}, {"--listen=nowhere"}},
    {{"serve", "--loop=fake", "--workload=echo", "--listen=127.0.0.1:99999"},
     {"--listen", "65535"}},
    {{"serve", "--loop=fake", "--workload=timers", "--listen=127.0.0.1:0"}, {"--workload=timers"}},
    {{"serve", "--loop=fake", "--workload=echo", "--listen=unix:/nonexistent/socket"},
     {"--listen=unix:/nonexistent/socket"}},
    {{"drive", "--workload=echo"}, {"--target", "--target=127.0.0.1:7"}},
    {{"drive", "--workload=echo", "--target=localhost:7"}, {"--target=localhost:7"}},
    {{"drive", "--workload=pingpong", "--target=127.0.0.1:7"}, {"--workload=pingpong"}},
    {{"drive", "--workload=echo", "--target=127.0.0.1:7", "--transport=unix"},
     {"--transport=unix"}},
};

TEST(BadInputTest, IsRefusedInOneLine) {
    for (const BadInput& bad : table) expect_refused(bad);
}

TEST(BadInputTest, AConfigFileIsCheckedLikeTheCommandLine) {
    const TestDirectory directory;
    const std::string path = directory.file("config");
    std::ofstream(path) << "size=64\nconections=3\n";
    expect_refused({run_with({"--config=" + path}), {"--config=", "conections", "--connections"}});
    std::ofstream(path) << "size=0\n";
    expect_refused({run_with({"--config=" + path}), {"--size=0"}});
    std::ofstream(path) << "";
    expect_refused({run_with({"--config=" + path}), {"--config=", "empty"}});
}

TEST(BadInputTest, APortInUseIsFoundBeforehand) {
    const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Address any = parse_address("127.0.0.1:0");
    ASSERT_EQ(bind(taken, any.data(), any.length), 0);
    ASSERT_EQ(listen(taken, 1), 0);
    any.length = sizeof any.storage;
    ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&any.storage), &any.length), 0);
    const std::string address = format_address(any);
    expect_refused({{"serve", "--loop=fake", "--workload=echo", "--listen=" + address},
                    {"--listen=" + address, "another program listens there"}});
    close(taken);
}

TEST(BadInputTest, MoreConnectionsThanDescriptorsAreRefused) {
    // As root the hard limit is raised too, up to what the kernel allows at all.
    std::ifstream file("/proc/sys/fs/nr_open");
    std::uint64_t most = 0;
    file >> most;
    if (geteuid() == 0 && most > 1'000'000) GTEST_SKIP() << "root may open as many as it likes";
    expect_refused({run_with({"--connections=1000000"}), {"--connections=1000000", "limit"}});
}

}  // namespace
}  // namespace loopbench
