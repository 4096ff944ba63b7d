#include "workloads/native/threads.hpp"

#include <fmt/format.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <system_error>
#include <vector>

#include "workloads/offered.hpp"

namespace loopbench {
namespace {

/// Somebody who sleeps until woken, once for each `wake`. On a cache line of its own: the next
/// one's is written to by another processor.
class alignas(64) Sleeper {
  public:
    void wake() noexcept {
        word_.store(1, std::memory_order_release);
        ::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
    void sleep() noexcept {
        while (word_.exchange(0, std::memory_order_acquire) == 0) {
            ::syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
        }
    }

  private:
    std::atomic<std::uint32_t> word_ = 0;
    static_assert(sizeof(word_) == 4 && decltype(word_)::is_always_lock_free);
};

/// CPU time of all threads of this process.
std::chrono::nanoseconds process_cpu_time() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

constexpr int most_processors = CPU_SETSIZE;

std::vector<int> allowed_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> processors;
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
    for (int i = 0; i < most_processors; ++i) {
        if (CPU_ISSET(i, &set)) processors.push_back(i);
    }
    return processors;
}

/// The processors that the threads are put on, beginning with the one where the process was put.
/// The harness ties a SUT to one, which its owner may undo; what a cpuset forbids stays forbidden.
std::vector<int> choose_processors(std::size_t wanted) {
    std::vector<int> mine = allowed_processors();
    if (mine.size() < wanted) {
        cpu_set_t all;
        CPU_ZERO(&all);
        for (int i = 0; i < most_processors; ++i) CPU_SET(i, &all);
        ::sched_setaffinity(0, sizeof all, &all);
        for (const int other : allowed_processors()) {
            if (mine.empty() || other != mine.front()) mine.push_back(other);
        }
    }
    if (mine.size() < wanted) {
        throw WorkloadError(
            fmt::format("key cpus is {}, and this process may have {} processor", wanted,
                        mine.size()),
            "use threads+cpus=1, or allow it more (taskset, the cpuset of its container)");
    }
    mine.resize(wanted);
    return mine;
}

cpu_set_t only(int processor) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return set;
}

/// The threads sleep between slices. What is not atomic here belongs to whoever has the token, and
/// to the main thread while nobody has.
class ThreadPingPong final : public Workload {
  public:
    ThreadPingPong(const ThreadsHost& host, const WorkloadSetup& setup)
        : parameters_(ping_pong_parameters(setup.params, "threads",
                                           {Variant::callback, Variant::yield, Variant::event})),
          processors_(choose_processors(wanted_processors(host))) {
        if (parameters_.tasks < 2) {
            ParameterReader::reject("tasks", "1",
                                    "at least 2 threads, one of which wakes the next");
        }
    }

    ~ThreadPingPong() override {
        ending_ = true;
        for (Player& player : players_) {
            if (!player.thread) continue;
            player.sleeper.wake();
            ::pthread_join(*player.thread, nullptr);
        }
    }

    std::string set_up() override {
        const cpu_set_t first = only(processors_.front());
        ::sched_setaffinity(0, sizeof first, &first);
        for (std::uint32_t i = 0; i < parameters_.tasks; ++i) players_.emplace_back(*this, i);
        for (Player& player : players_) start(player);
        return {};
    }

    WorkloadCounters counters() const override {
        return {.operations = operations_, .task_switches = operations_};
    }

    SliceReport slice(std::uint64_t operations) override {
        holder_ = 0;
        remaining_ = operations;
        const auto began = std::chrono::steady_clock::now();
        const auto cpu_began = process_cpu_time();
        players_.front().sleeper.wake();
        done_.sleep();
        const auto cpu = process_cpu_time() - cpu_began;
        SliceReport result;
        result.elapsed = std::chrono::steady_clock::now() - began;
        result.operations = operations;
        operations_ += operations;
        result.metrics.emplace_back("cpu_ns_per_switch", static_cast<double>(cpu.count()) /
                                                             static_cast<double>(operations));
        return result;
    }

    const std::optional<std::string>& mistake() const override { return check_.mistake(); }

  private:
    using Variant = PingPongParameters::Variant;

    struct Player {
        Player(ThreadPingPong& its_game, std::uint32_t its_place) noexcept
            : game(its_game), place(its_place) {}

        Sleeper sleeper;
        ThreadPingPong& game;
        std::optional<pthread_t> thread;
        std::uint32_t place;
    };

    static std::size_t wanted_processors(const ThreadsHost& host) {
        const auto key = host.options().keys.find("cpus");
        return key != host.options().keys.end() && key->second == "2" ? 2 : 1;
    }

    void start(Player& player) {
        const cpu_set_t where = only(processors_[player.place % processors_.size()]);
        pthread_attr_t attributes;
        ::pthread_attr_init(&attributes);
        ::pthread_attr_setaffinity_np(&attributes, sizeof where, &where);
        pthread_t thread;
        const int error = ::pthread_create(&thread, &attributes, &play, &player);
        ::pthread_attr_destroy(&attributes);
        if (error != 0) {
            throw WorkloadError(
                fmt::format("thread {} of {} cannot be started: {}", player.place + 1,
                            parameters_.tasks, std::system_category().message(error)),
                "take fewer --tasks, or raise the limit on processes (ulimit -u)");
        }
        player.thread = thread;
    }

    static void* play(void* argument) noexcept {
        Player& player = *static_cast<Player*>(argument);
        ThreadPingPong& game = player.game;
        for (;;) {
            player.sleeper.sleep();
            if (game.ending_) return nullptr;
            if (game.take(player.place)) {
                game.players_[game.after(player.place)].sleeper.wake();
            } else {
                game.done_.wake();
            }
        }
    }

    std::uint32_t after(std::uint32_t place) const noexcept {
        return place + 1 == parameters_.tasks ? 0 : place + 1;
    }

    bool take(std::uint32_t place) noexcept {
        if (place != holder_) {
            check_.fail(
                fmt::format("the token came to thread {} instead of thread {}", place, holder_));
        }
        holder_ = after(place);
        return --remaining_ > 0;
    }

    PingPongParameters parameters_;
    std::vector<int> processors_;
    SelfCheck check_;
    std::deque<Player> players_;  // a deque: they stay where they are
    Sleeper done_;                // the main thread, while the token goes round
    bool ending_ = false;
    std::uint32_t holder_ = 0;
    std::uint64_t remaining_ = 0;
    std::uint64_t operations_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_thread_ping_pong(ThreadsHost& host, const WorkloadSetup& setup) {
    return std::make_unique<ThreadPingPong>(host, setup);
}

}  // namespace loopbench
