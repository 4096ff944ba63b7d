// A small system under test that speaks docs/protocol.md without any loop of ours, for the tests of
// the harness. Its arm keys make it misbehave: `exec:fake-sut+misbehave=crash+at=mark`.

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/address.hpp"
#include "harness/line_channel.hpp"

namespace loopbench {
namespace {

using nlohmann::json;

std::uint64_t now_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

class FakeSut {
  public:
    /// Serves standard input and the connections until told to quit.
    void run() {
        while (!quit_) {
            std::vector<pollfd> watched{{STDIN_FILENO, POLLIN, 0}};
            if (listener_ >= 0) watched.push_back({listener_, POLLIN, 0});
            for (const int connection : connections_) watched.push_back({connection, POLLIN, 0});
            const bool restless = keys_.value("restless", "no") == "yes";
            const int wait_ms = restless ? 0 : musing_ ? 20 : -1;
            if (poll(watched.data(), watched.size(), wait_ms) == 0) {
                if (std::exchange(musing_, false)) say({{"type", "thought"}});
                continue;
            }
            ++turns_;
            for (const pollfd& one : watched) {
                if (one.revents == 0) continue;
                if (one.fd == STDIN_FILENO) {
                    read_request();
                } else if (one.fd == listener_) {
                    connections_.push_back(accept(listener_, nullptr, nullptr));
                } else {
                    echo(one.fd);
                }
            }
        }
    }

  private:
    void read_request() {
        const auto line = input_.read_line();
        if (!line) {
            quit_ = true;
            return;
        }
        const json request = json::parse(*line);
        const auto type = request.at("type").get<std::string>();
        if (request.contains("keys")) keys_ = request["keys"];
        if (is_to_misbehave(type) && misbehave(keys_["misbehave"].get<std::string>())) return;
        if (type == "quit") {
            quit_ = true;
        } else if (type == "describe") {
            describe();
        } else if (type == "setup") {
            set_up(request);
        } else if (type == "mark") {
            say(marked());
        } else if (type == "slice") {
            slice(request.at("operations").get<std::uint64_t>());
        } else {
            refuse("it does not know '" + type + "'");
        }
    }

    bool is_to_misbehave(const std::string& at) const {
        return keys_.contains("misbehave") && keys_.value("at", "slice") == at;
    }

    void refuse(const std::string& what) {
        say({{"type", "error"}, {"what", what}, {"remedy", "ask for something else"}});
    }

    void say(const json& answer) { write_line(STDOUT_FILENO, answer.dump()); }

    /// True when that was all; false when it goes on as if nothing had happened.
    bool misbehave(const std::string& how) {
        std::fprintf(stderr, "misbehaving: %s\n", how.c_str());
        if (how == "crash") std::abort();
        if (how == "exit") _exit(3);
        if (how == "silence") hang();
        if (how == "garbage") write_line(STDOUT_FILENO, "this is { not JSON");
        if (how == "untyped") write_line(STDOUT_FILENO, R"({"name":"fake"})");
        if (how == "other") say({{"type", "other"}});
        if (how == "schema")
            write_line(STDOUT_FILENO, R"({"type":"marked","counters":{"turns":-1}})");
        if (how == "error") {
            say({{"type", "error"}, {"what", "the fake is unwell"}, {"remedy", "be kind to it"}});
        }
        if (how == "chatter" && write(STDOUT_FILENO, "one\ntwo\n", 8) != 8) _exit(4);
        if (how == "version") {
            json other = description();
            other["protocol"] = 99;
            say(other);
        }
        if (how == "flood") repeat(STDOUT_FILENO, std::string(1 << 16, 'x'));
        if (how == "lines") repeat(STDOUT_FILENO, marked().dump() + "\n");
        if (how == "long") {
            std::string line(max_line_bytes + 1, 'x');
            write_line(STDOUT_FILENO, line);
        }
        if (how == "close") {
            close(STDOUT_FILENO);
            hang();
        }
        if (how == "noise") {
            repeat(STDERR_FILENO, "noise\n", 1 << 20);
            hang();
        }
        if (how == "musing") {  // it answers, and later says something of its own
            musing_ = true;
            return false;
        }
        if (how == "deaf") {  // it will say another address than that on which it listens
            deaf_ = true;
            return false;
        }
        if (how == "forgetful") {  // from now on it counts from the start
            reads_ = bytes_ = 0;
            return false;
        }
        if (how == "last-words") {
            say({{"type", "bye"}});
            return false;
        }
        return true;
    }

    /// Does nothing any more, and does not even see the end of its input.
    [[noreturn]] static void hang() {
        for (;;) pause();
    }

    static void repeat(int descriptor, const std::string& text, long times = -1) {
        while (times-- != 0 && write(descriptor, text.data(), text.size()) > 0) {
        }
    }

    /// Refuses keys that it does not have, and values of those that name theirs.
    void describe() {
        const json described = description();
        for (const auto& [key, value] : keys_.items()) {
            bool known = false;
            for (const json& one : described["keys"]) {
                const json& values = one["values"];
                const bool any = values.empty();
                const bool listed = std::find(values.begin(), values.end(), value) != values.end();
                known = known || (one["key"] == key && (any || listed));
            }
            if (!known) return refuse("it knows no key " + key + " with that value");
        }
        say(described);
    }

    json description() const {
        return {
            {"type", "description"},
            {"protocol", 1},
            {"name", "fake"},
            {"library", "none"},
            {"version", "1"},
            {"available", keys_.value("available", "yes") == "yes"},
            {"reason", "it was told so"},
            {"remedy", "tell it otherwise"},
            {"capabilities", {{"descriptor_limit", 1024}}},
            {"workloads", {"echo", "pingpong", "timers"}},
            {"keys",
             {{{"key", "misbehave"}, {"values", json::array()}, {"meaning", "how it fails"}},
              {{"key", "at"}, {"values", json::array()}, {"meaning", "at which request"}},
              {{"key", "available"}, {"values", {"yes", "no"}}, {"meaning", "whether it works"}},
              {{"key", "instant"}, {"values", {"no", "yes"}}, {"meaning", "slices take no time"}},
              {{"key", "lazy"}, {"values", {"no", "yes"}}, {"meaning", "slices are too short"}},
              {{"key", "restless"}, {"values", {"no", "yes"}}, {"meaning", "never sleeps"}},
              {{"key", "corrupt"}, {"values", {"no", "yes"}}, {"meaning", "echo wrong bytes"}}}}};
    }

    void set_up(const json& request) {
        const json offered = description()["workloads"];
        if (std::find(offered.begin(), offered.end(), request["workload"]) == offered.end()) {
            return refuse("it does not offer that workload");
        }
        message_size_ = request["params"].value("size", 1U);
        if (!request.contains("listen")) {
            say({{"type", "ready"}, {"address", nullptr}, {"deviations", json::array()}});
            return;
        }
        const Address wanted = parse_address(request["listen"].get<std::string>());
        listener_ = socket(wanted.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(listener_, wanted.data(), wanted.length) != 0 || listen(listener_, 4096) != 0) {
            say({{"type", "error"}, {"what", "it cannot listen there"}, {"remedy", "elsewhere"}});
            return;
        }
        sockaddr_storage bound{};
        socklen_t length = sizeof bound;
        getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &length);
        const std::string address =
            format_address(reinterpret_cast<const sockaddr*>(&bound), length);
        say({{"type", "ready"},
             {"address", deaf_ ? "unix:/nonexistent/socket" : address},
             {"deviations", {"read_buffer"}}});
    }

    void echo(int connection) {
        if (is_to_misbehave("data") && misbehave(keys_["misbehave"].get<std::string>())) return;
        char buffer[4096];
        const ssize_t got = read(connection, buffer, sizeof buffer);
        if (got <= 0) {
            std::erase(connections_, connection);
            close(connection);
            return;
        }
        ++reads_;
        bytes_ += static_cast<std::uint64_t>(got);
        if (keys_.value("corrupt", "no") == "yes") buffer[0] ^= 1;
        for (ssize_t sent = 0; sent < got;) {
            const ssize_t more =
                send(connection, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
            if (more < 0) return;
            sent += more;
        }
    }

    json marked() const {
        return {{"type", "marked"},
                {"counters",
                 {{"turns", turns_},
                  {"operations", bytes_ / message_size_ + operations_},
                  {"reads", reads_},
                  {"bytes", bytes_},
                  {"task_switches", operations_},
                  {"cpu_ns", now_ns(CLOCK_PROCESS_CPUTIME_ID)},
                  {"voluntary_switches", 0},
                  {"involuntary_switches", 0},
                  {"allocations", nullptr},
                  {"open_connections", connections_.size()},
                  {"steady_connections", connections_.size()}}}};
    }

    /// A slice of something that takes about 20 ns an operation, or no time at all. The
    /// environment's FAKE_WORK says how many steps an operation has: another build of the fake.
    void slice(std::uint64_t operations) {
        if (keys_.value("lazy", "no") == "yes") --operations;
        if (keys_.value("instant", "no") == "yes") {
            operations_ += operations;
            return say({{"type", "done"}, {"operations", operations}, {"elapsed_ns", 0}});
        }
        const std::uint64_t start = now_ns(CLOCK_MONOTONIC);
        volatile std::uint64_t state = 1;
        for (std::uint64_t i = 0; i < steps_ * operations; ++i)
            state = state * 6364136223846793005 + i;
        operations_ += operations;
        ++turns_;
        say({{"type", "done"},
             {"operations", operations},
             {"elapsed_ns", now_ns(CLOCK_MONOTONIC) - start},
             {"metrics", {{"cpu_ns_per_start", 20.0}}},
             {"histograms", {{"lateness", {{"sub_bits", 7}, {"counts", {{5, operations}}}}}}}});
    }

    LineReader input_{STDIN_FILENO};
    const std::uint64_t steps_ =
        std::getenv("FAKE_WORK") ? std::strtoull(std::getenv("FAKE_WORK"), nullptr, 10) : 20;
    json keys_ = json::object();
    int listener_ = -1;
    std::vector<int> connections_;
    std::uint64_t turns_ = 0;
    std::uint64_t reads_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t message_size_ = 1;
    std::uint64_t operations_ = 0;
    bool musing_ = false;
    bool deaf_ = false;
    bool quit_ = false;
};

}  // namespace
}  // namespace loopbench

int main() {
    loopbench::FakeSut().run();
}
