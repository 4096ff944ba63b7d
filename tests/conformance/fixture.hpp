#pragma once

// What every test of the suite stands on. The suite is compiled once for each loop; the loop comes
// from its target's compile definitions. A test's name begins with the sentence of contract.hpp
// that it executes; names without one execute the comment at a concept there.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include LOOPBENCH_LOOP_HEADER
#include "loops/contract.hpp"
#include "tests/conformance/peer.hpp"

namespace loopbench::conformance {

using namespace std::chrono_literals;

using Loop = LOOPBENCH_LOOP;
static_assert(EventLoop<Loop>);

inline constexpr std::size_t mebibyte = 1024 * 1024;

/// How often tests do what must work without end: less often with a sanitizer, which is slow, and
/// with which Clang, as it does not optimize, turns a switch between coroutines into a nested call.
#ifdef LOOPBENCH_SANITIZED
inline constexpr int many = 1'000;
inline constexpr int very_many = 100'000;
#else
inline constexpr int many = 10'000;
inline constexpr int very_many = 1'000'000;
#endif

/// Runs a loop until a condition holds. The helpers below ask for it after each callback of a test,
/// so that the loop otherwise runs, and waits, as it always does.
class Until {
  public:
    static void run(Loop& loop, std::function<bool()> condition) {
        while (!condition()) {
            loop_ = &loop;
            condition_ = condition;
            loop.run();
        }
        condition_ = nullptr;
    }

    static void check() {
        if (condition_ && condition_()) {
            condition_ = nullptr;
            loop_->stop();
        }
    }

  private:
    static inline Loop* loop_ = nullptr;
    static inline std::function<bool()> condition_;
};

/// An operation whose completions are counted and run a function. Used anew after `again()`.
template <class Base>
struct Counted : Base {
    explicit Counted(std::function<void()> f = {}) : Base(&complete), body(std::move(f)) {}

    static void complete(Operation& operation) noexcept {
        auto& self = static_cast<Counted&>(operation);
        EXPECT_FALSE(self.at_once) << "an operation that had ended at once completed";
        EXPECT_FALSE(self.starting) << "a completion ran inside the call that started it";
        ++self.completions;
        if (self.body) self.body();
        Until::check();
    }

    /// Starts the operation through `call` and notes when it ended at once.
    template <class Call>
    Start start(Call call) {
        completions = 0;
        at_once = false;
        starting = true;
        const Start start = call(*this);
        starting = false;
        at_once = start == Start::done;
        return start;
    }
    bool ended() const { return at_once || completions > 0; }

    std::function<void()> body;
    int completions = 0;
    bool at_once = false;
    bool starting = false;
};

using Callback = Counted<Operation>;
using Read = Counted<Loop::ReadOperation>;
using Write = Counted<Loop::WriteOperation>;
using Connect = Counted<Loop::ConnectOperation>;
using Accept = Counted<Loop::AcceptOperation>;
using Shutdown = Counted<Loop::ShutdownOperation>;
using Close = Counted<Loop::CloseOperation>;

inline Start read_some(Loop::Stream& stream, Read& read, std::span<std::byte> buffer) {
    return read.start([&](Read& r) { return stream.read_some(r, buffer); });
}
inline Start write_all(Loop::Stream& stream, Write& write, std::string_view text) {
    return write.start([&](Write& w) { return stream.write_all(w, bytes_of(text)); });
}
inline Start connect(Loop::Stream& stream, Connect& operation, const Endpoint& endpoint,
                     const SocketOptions& options = {}) {
    return operation.start([&](Connect& c) { return stream.connect(c, endpoint, options); });
}
inline Start accept(Loop::Listener& listener, Accept& operation, Loop::Stream& stream) {
    return operation.start([&](Accept& a) { return listener.accept(a, stream); });
}
inline Start shutdown_write(Loop::Stream& stream, Shutdown& operation) {
    return operation.start([&](Shutdown& s) { return stream.shutdown_write(s); });
}
template <class Closable>
void close(Closable& object, Close& operation) {
    operation.start([&](Close& c) {
        object.close(c);
        return Start::pending;
    });
}

/// A timer that counts its firings and runs a function.
struct CountedTimer : Loop::Timer {
    explicit CountedTimer(Loop& loop, std::function<void()> f = {})
        : Loop::Timer(loop, &fire), body(std::move(f)) {}
    static void fire(Loop::Timer& timer) noexcept {
        auto& self = static_cast<CountedTimer&>(timer);
        ++self.fired;
        if (self.body) self.body();
        Until::check();
    }
    std::function<void()> body;
    int fired = 0;
};

/// A wake-up that counts its calls and runs a function.
struct CountedWakeup : Loop::Wakeup {
    explicit CountedWakeup(Loop& loop, std::function<void()> f = {})
        : Loop::Wakeup(loop, &wake), body(std::move(f)) {}
    static void wake(Loop::Wakeup& wakeup) noexcept {
        auto& self = static_cast<CountedWakeup&>(wakeup);
        ++self.calls;
        if (self.body) self.body();
        Until::check();
    }
    std::function<void()> body;
    int calls = 0;
};

/// A watch that counts its calls and hands the interest found to a function.
struct CountedWatch : Loop::Readiness {
    CountedWatch(Loop& loop, int descriptor, std::function<void(Interest)> f = {})
        : Loop::Readiness(loop, descriptor, &ready), body(std::move(f)) {}
    static void ready(Loop::Readiness& watch, Interest interest) noexcept {
        auto& self = static_cast<CountedWatch&>(watch);
        ++self.calls;
        self.last = interest;
        if (self.body) self.body(interest);
        Until::check();
    }
    std::function<void(Interest)> body;
    int calls = 0;
    Interest last = Interest::none;
};

/// A push stream's owner that records what it is told, and expects that nothing comes after a loss,
/// after the owner's `close`, or inside one of the owner's calls (each made through `call`).
class Recorder final : public Protocol {
  public:
    template <class F>
    void call(F f) {
        calling_ = true;
        f();
        calling_ = false;
    }
    /// From now on nothing may be told.
    void expect_silence() { silent_ = true; }

    void data_received(std::span<const std::byte> data) noexcept override {
        told();
        EXPECT_FALSE(data.empty());
        EXPECT_EQ(eofs, 0) << "data after the end of the stream";
        largest = std::max(largest, data.size());
        received.append(reinterpret_cast<const char*>(data.data()), data.size());
        finish(on_data);
    }
    void eof_received() noexcept override {
        told();
        ++eofs;
        finish(on_eof);
    }
    void connection_lost(std::error_code error) noexcept override {
        told();
        losses.push_back(error);
        silent_ = true;
        finish(on_lost);
    }
    void pause_writing() noexcept override {
        told();
        EXPECT_EQ(pauses, resumes) << "paused twice";
        ++pauses;
        finish(on_pause);
    }
    void resume_writing() noexcept override {
        told();
        ++resumes;
        EXPECT_EQ(pauses, resumes) << "resumed without a pause";
        finish(on_resume);
    }

    std::string received;
    std::size_t largest = 0;
    int eofs = 0, pauses = 0, resumes = 0;
    std::vector<std::error_code> losses;
    std::function<void()> on_data, on_eof, on_lost, on_pause, on_resume;

  private:
    void told() {
        EXPECT_FALSE(calling_) << "called from inside a call of the owner";
        EXPECT_FALSE(silent_) << "called after close or connection_lost";
    }
    static void finish(const std::function<void()>& body) {
        if (body) body();
        Until::check();
    }

    bool calling_ = false;
    bool silent_ = false;
};

/// A clock that the test moves.
class ManualClock {
  public:
    TimePoint now() const { return now_; }
    void advance(Duration step) { now_ += step; }

  private:
    TimePoint now_ = std::chrono::steady_clock::now();
};

inline LoopOptions with_poll_interval(unsigned interval) {
    LoopOptions options;
    options.poll_interval = interval;
    return options;
}
inline LoopOptions with_clock(const ManualClock& clock) {
    LoopOptions options;
    options.clock = [&clock] { return clock.now(); };
    return options;
}

/// What a loop's notes say on a topic; empty when they say nothing.
inline std::string note(const std::string& topic) {
    for (const auto& [name, text] : Loop::describe().notes) {
        if (name == topic) return text;
    }
    return {};
}

inline std::map<std::string, std::string> keys_from_environment() {
    std::map<std::string, std::string> keys;
    const char* value = std::getenv("LOOPBENCH_CONFORMANCE_KEYS");
    std::istringstream text(value != nullptr ? value : "");
    for (std::string key; std::getline(text, key, ',');) {
        const std::size_t equals = key.find('=');
        if (equals == std::string::npos) throw std::invalid_argument(key + ": no key=value");
        keys[key.substr(0, equals)] = key.substr(equals + 1);
    }
    return keys;
}

/// A test with a loop of default options, and with a directory for sockets. Skipped with the
/// loop's own reason where it cannot work.
class Conformance : public testing::Test {
  protected:
    void SetUp() override {
        const Availability availability = Loop::availability();
        if (!availability.available) GTEST_SKIP() << availability.reason;
        ::alarm(watchdog_seconds);  // a test that waits for ever says which one it is, and dies
        make_loop();
    }
    void TearDown() override {
        loop_.reset();
        ::alarm(0);
        if (!directory_.empty()) std::filesystem::remove_all(directory_);
    }

    /// With the arm keys of LOOPBENCH_CONFORMANCE_KEYS ("send=request,entries=2").
    Loop& make_loop(LoopOptions options = {}) {
        loop_.reset();
        options.keys = keys_from_environment();
        loop_.emplace(options);
        return *loop_;
    }
    Loop& loop() { return *loop_; }
    void destroy_loop() { loop_.reset(); }

    /// One turn that does not wait (sentence 10).
    void turn() {
        loop().stop();
        loop().run();
    }
    void turns(int count) {
        for (int i = 0; i < count; ++i) turn();
    }
    void run_until(std::function<bool()> condition) { Until::run(loop(), std::move(condition)); }
    template <class... Operations>
    void complete(const Operations&... operations) {
        run_until([&] { return (operations.ended() && ...); });
    }

    std::string fresh_path() {
        if (directory_.empty()) {
            std::string name =
                (std::filesystem::temp_directory_path() / "loopbench-XXXXXX").string();
            if (::mkdtemp(name.data()) == nullptr) {
                throw std::system_error(errno, std::system_category(), "mkdtemp");
            }
            directory_ = name;
        }
        return directory_ + "/" + std::to_string(++paths_);
    }
    Endpoint fresh_endpoint(Transport transport) {
        return transport == Transport::unix_socket ? unix_endpoint(fresh_path())
                                                   : loopback(transport);
    }

    /// Connects a stream to a plain socket, which is returned.
    Peer connect_stream(Loop::Stream& stream, Transport transport,
                        const SocketOptions& options = {}) {
        const PlainListener listener(fresh_endpoint(transport));
        Connect operation;
        connect(stream, operation, listener.endpoint(), options);
        complete(operation);
        EXPECT_TRUE(operation.result.ok()) << operation.result.error().message();
        return listener.accept();
    }
    /// Closes a stream or a listener, and waits for it.
    template <class Closable>
    void close_and_wait(Closable& object) {
        Close operation;
        close(object, operation);
        complete(operation);
        EXPECT_TRUE(operation.result.ok());
    }

  private:
    static constexpr unsigned watchdog_seconds = 50;

    std::optional<Loop> loop_;
    std::string directory_;
    int paths_ = 0;
};

/// A test over every transport that the machine has.
class OverTransports : public Conformance, public testing::WithParamInterface<Transport> {
  protected:
    void SetUp() override {
        if (!transport_works(GetParam())) GTEST_SKIP() << "this machine lacks the transport";
        Conformance::SetUp();
    }
    bool is_unix() const { return GetParam() == Transport::unix_socket; }
    Peer connected(Loop::Stream& stream, const SocketOptions& options = {}) {
        return connect_stream(stream, GetParam(), options);
    }
};

inline std::string transport_name(const testing::TestParamInfo<Transport>& info) {
    constexpr const char* names[] = {"unix", "tcp4", "tcp6"};
    return names[static_cast<std::size_t>(info.param)];
}

inline auto every_transport() {
    return testing::Values(Transport::unix_socket, Transport::tcp4, Transport::tcp6);
}

}  // namespace loopbench::conformance
