#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace loopbench {

/// The names of the loops, and of the references, that were built.
std::vector<std::string> built_loops();
std::vector<std::string> built_references();

/// Those of `wanted` that were built: a library may be missing.
std::vector<std::string> built_references(const std::vector<std::string>& wanted);

/// Names a test by its parameters: arms, variants and forms, with only what a name may contain.
struct TestName {
    std::string operator()(const testing::TestParamInfo<std::string>& test) const;
    std::string operator()(
        const testing::TestParamInfo<std::tuple<std::string, std::string>>& test) const;
};
inline constexpr TestName test_name;

/// A SUT executable that is spoken to by the control protocol, over pipes.
class SutProcess {
  public:
    /// `preload` is a library for LD_PRELOAD, or empty.
    explicit SutProcess(const std::string& loop, const std::string& preload = {});
    SutProcess(const SutProcess&) = delete;
    SutProcess& operator=(const SutProcess&) = delete;
    /// Ends its input and waits for it.
    ~SutProcess();

    /// Sends a request and waits for its answer; null when the process ended instead.
    nlohmann::json ask(const nlohmann::json& request);

    /// `setup` with these parameters.
    nlohmann::json set_up(const std::string& workload, const nlohmann::json& params,
                          const std::string& listen = {},
                          const nlohmann::json& keys = nlohmann::json::object());
    /// The counters of `mark`; a test failure when the answer is an error.
    nlohmann::json counters();

    void send_raw(const std::string& bytes);
    /// The next line of its output; empty at its end.
    std::string receive_line();
    void end_input();
    void signal(int number);
    /// Waits for its end. The exit status, or 128 and the signal.
    int wait();

  private:
    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    std::string received_;
};

/// Why a SUT says that it cannot work on this machine; empty when it can.
std::string why_unavailable(const std::string& loop);

/// A test with a SUT's name as its parameter, or first in it; skipped where that SUT cannot work.
template <class Parameter>
class OverSuts : public testing::TestWithParam<Parameter> {
  protected:
    void SetUp() override {
        if constexpr (std::is_same_v<Parameter, std::string>) {
            skip_unless_available(this->GetParam());
        } else {
            skip_unless_available(std::get<0>(this->GetParam()));
        }
    }

  private:
    static void skip_unless_available(const std::string& loop) {
        if (const std::string why = why_unavailable(loop); !why.empty()) GTEST_SKIP() << why;
    }
};

}  // namespace loopbench
