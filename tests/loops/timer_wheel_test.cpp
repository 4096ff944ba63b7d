#include "loops/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace loopbench {
namespace {

using Time = std::uint64_t;

constexpr Time kEndOfTime = UINT64_MAX;
constexpr Time kMicrosecond = 1000;
constexpr Time kMillisecond = 1000 * kMicrosecond;
constexpr Time kSecond = 1000 * kMillisecond;
constexpr Time kHour = 3600 * kSecond;

Time later(Time time, Time by) {
    return by > kEndOfTime - time ? kEndOfTime : time + by;
}

/// Pops everything that is due and says which of `nodes` came, in order.
std::vector<std::size_t> pop_all(TimerWheel& wheel, const std::vector<TimerNode>& nodes) {
    std::vector<std::size_t> popped;
    while (const TimerNode* node = wheel.pop_due()) {
        popped.push_back(static_cast<std::size_t>(node - nodes.data()));
    }
    return popped;
}

using Order = std::vector<std::size_t>;

TEST(TimerWheel, HasNoDeadlineWhenEmpty) {
    TimerWheel wheel;
    EXPECT_TRUE(wheel.empty());
    EXPECT_EQ(wheel.next_deadline(), std::nullopt);
    wheel.collect(kHour);
    EXPECT_EQ(wheel.pop_due(), nullptr);
}

TEST(TimerWheel, IsNeverDueBeforeItsDeadlineAndAlwaysAtIt) {
    for (const Time start : {Time{0}, 123456789 * kSecond + 987}) {
        for (unsigned bit = 0; bit < 63; ++bit) {
            for (const Time delay : {(Time{1} << bit) - 1, Time{1} << bit, (Time{1} << bit) + 1}) {
                TimerWheel wheel(start);
                TimerNode node;
                wheel.collect(start);
                wheel.insert(node, start + delay);
                EXPECT_EQ(wheel.next_deadline(), start + delay);
                if (delay > 0) wheel.collect(start + delay - 1);
                EXPECT_EQ(wheel.pop_due(), nullptr) << "delay " << delay;
                EXPECT_EQ(wheel.next_deadline(), start + delay);
                wheel.collect(start + delay);
                EXPECT_EQ(wheel.pop_due(), &node) << "delay " << delay;
            }
        }
    }
}

TEST(TimerWheel, ReachesTheEndOfTime) {
    TimerWheel wheel(kSecond);
    std::vector<TimerNode> nodes(3);
    wheel.insert(nodes[0], kEndOfTime);
    wheel.insert(nodes[1], kEndOfTime - 1);
    wheel.insert(nodes[2], kEndOfTime);
    wheel.collect(kEndOfTime - 2);
    EXPECT_EQ(wheel.pop_due(), nullptr);
    EXPECT_EQ(wheel.next_deadline(), kEndOfTime - 1);
    wheel.collect(kEndOfTime - 1);
    EXPECT_EQ(pop_all(wheel, nodes), Order({1}));
    wheel.collect(kEndOfTime);
    EXPECT_EQ(pop_all(wheel, nodes), Order({0, 2}));
    wheel.insert(nodes[1], kEndOfTime);
    wheel.collect(kEndOfTime);
    EXPECT_EQ(pop_all(wheel, nodes), Order({1}));
}

TEST(TimerWheel, RunsTheEarlierDeadlineFirstWithinOneTick) {
    TimerWheel wheel;
    std::vector<TimerNode> nodes(4);
    const Time tick = Time{1} << 30;
    wheel.insert(nodes[0], tick + 9);
    wheel.insert(nodes[1], tick + 3);
    wheel.insert(nodes[2], tick + 5);
    wheel.insert(nodes[3], tick + 4);
    wheel.collect(tick + 4);
    EXPECT_EQ(pop_all(wheel, nodes), Order({1, 3}));
    EXPECT_EQ(wheel.next_deadline(), tick + 5);
    wheel.insert(nodes[1], tick + 7);
    wheel.collect(tick + 9);
    EXPECT_EQ(pop_all(wheel, nodes), Order({2, 1, 0}));
}

TEST(TimerWheel, RunsEqualDeadlinesInTheOrderOfInsertion) {
    TimerWheel wheel;
    std::vector<TimerNode> nodes(1000);
    for (TimerNode& node : nodes) wheel.insert(node, 3 * kSecond);
    wheel.collect(kHour);
    Order expected(nodes.size());
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = i;
    EXPECT_EQ(pop_all(wheel, nodes), expected);
}

TEST(TimerWheel, RunsEqualDeadlinesInOrderWhateverDistanceTheyWereInsertedAt) {
    TimerWheel wheel;
    const Time deadline = 400 * 24 * kHour;
    const Time distances[] = {deadline,     deadline,         24 * kHour, kHour,  kSecond,
                              kMillisecond, 5 * kMicrosecond, 500,        Time{1}};
    std::vector<TimerNode> nodes(std::size(distances));
    Order expected;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        wheel.collect(deadline - distances[i]);
        wheel.insert(nodes[i], deadline);
        expected.push_back(i);
    }
    EXPECT_EQ(wheel.next_deadline(), deadline);
    wheel.collect(deadline);
    EXPECT_EQ(pop_all(wheel, nodes), expected);
}

TEST(TimerWheel, PutsAnyNumberOfTimersOfOneTickInOrder) {
    for (const std::size_t count : {1U, 2U, 3U, 7U, 8U, 9U, 200U, 1000U}) {
        TimerWheel wheel;
        std::vector<TimerNode> nodes(count);
        for (std::size_t i = 0; i < count; ++i) wheel.insert(nodes[i], kHour + count - i);
        Order expected(count);
        for (std::size_t i = 0; i < count; ++i) expected[i] = count - 1 - i;
        wheel.collect(2 * kHour);
        EXPECT_EQ(pop_all(wheel, nodes), expected);
    }
}

TEST(TimerWheel, LeavesWhatWasDueEarlierInFront) {
    TimerWheel wheel;
    std::vector<TimerNode> nodes(2);
    wheel.insert(nodes[0], 100);
    wheel.collect(200);
    wheel.insert(nodes[1], 50);
    wheel.collect(200);
    EXPECT_EQ(pop_all(wheel, nodes), Order({0, 1}));
}

TEST(TimerWheel, DoesNotPopWhatIsInsertedBeforeTheNextCollect) {
    TimerWheel wheel;
    std::vector<TimerNode> nodes(2);
    wheel.insert(nodes[0], 10);
    wheel.insert(nodes[1], 20);
    wheel.collect(kSecond);
    ASSERT_EQ(wheel.pop_due(), &nodes[0]);
    wheel.insert(nodes[0], 0);
    EXPECT_EQ(wheel.pop_due(), &nodes[1]);
    EXPECT_EQ(wheel.pop_due(), nullptr);
    EXPECT_EQ(wheel.next_deadline(), Time{0});
    wheel.collect(kSecond);
    EXPECT_EQ(wheel.pop_due(), &nodes[0]);
}

TEST(TimerWheel, DoesNotPopATimerCancelledWhenItIsDue) {
    TimerWheel wheel;
    std::vector<TimerNode> nodes(3);
    for (TimerNode& node : nodes) wheel.insert(node, kSecond);
    wheel.collect(kSecond);
    EXPECT_TRUE(TimerWheel::pending(nodes[1]));
    EXPECT_TRUE(wheel.remove(nodes[1]));
    EXPECT_FALSE(TimerWheel::pending(nodes[1]));
    EXPECT_EQ(wheel.size(), 2U);
    EXPECT_EQ(pop_all(wheel, nodes), Order({0, 2}));
}

TEST(TimerWheel, ForgetsTheDeadlineOfACancelledTimer) {
    std::vector<TimerNode> nodes(3);
    TimerWheel wheel;
    wheel.insert(nodes[0], kSecond);
    wheel.insert(nodes[1], kMillisecond);
    wheel.insert(nodes[2], 5);
    EXPECT_EQ(wheel.next_deadline(), Time{5});
    EXPECT_TRUE(wheel.remove(nodes[2]));
    EXPECT_EQ(wheel.next_deadline(), kMillisecond);
    EXPECT_TRUE(wheel.remove(nodes[1]));
    EXPECT_EQ(wheel.next_deadline(), kSecond);
    EXPECT_TRUE(wheel.remove(nodes[0]));
    EXPECT_EQ(wheel.next_deadline(), std::nullopt);
}

TEST(TimerWheel, PutsATimerOffAgainAndAgain) {
    std::vector<TimerNode> nodes(40);
    TimerWheel wheel;
    Time now = 0;
    for (int i = 0; i < 100'000; ++i, now += kMillisecond) {
        TimerNode& node = nodes[static_cast<std::size_t>(i) % nodes.size()];
        wheel.remove(node);
        wheel.insert(node, now + kSecond);
        wheel.collect(now);
        ASSERT_EQ(wheel.pop_due(), nullptr);
    }
    EXPECT_EQ(wheel.size(), nodes.size());
    Order expected;
    for (std::size_t i = 0; i < nodes.size(); ++i) expected.push_back(i);
    wheel.collect(now + kSecond);
    EXPECT_EQ(pop_all(wheel, nodes), expected);
}

TEST(TimerWheel, TakesATimerForwardThatWasToBeLater) {
    std::vector<TimerNode> nodes(2);
    TimerWheel wheel;
    wheel.insert(nodes[0], kHour);
    wheel.insert(nodes[1], kHour);
    ASSERT_TRUE(wheel.remove(nodes[0]));
    wheel.insert(nodes[0], kSecond);
    EXPECT_EQ(wheel.next_deadline(), kSecond);
    wheel.collect(kSecond);
    EXPECT_EQ(pop_all(wheel, nodes), Order({0}));
}

TEST(TimerWheel, FindsInOneStepWhatWasPutOffFromATickToAMuchLaterOne) {
    for (const Time later : {kMillisecond, 5 * kMillisecond, 3 * kSecond}) {
        std::vector<TimerNode> nodes(2);
        TimerWheel wheel;
        wheel.insert(nodes[1], 50 * kMicrosecond);
        wheel.insert(nodes[0], 100 * kMicrosecond);
        wheel.remove(nodes[0]);
        wheel.insert(nodes[0], later);
        EXPECT_EQ(wheel.next_deadline(), 50 * kMicrosecond);
        wheel.collect(2 * later);
        EXPECT_EQ(pop_all(wheel, nodes), Order({1, 0}));
    }
}

TEST(TimerWheel, DoesNotWakeForWhatWasPutOff) {
    std::vector<TimerNode> nodes(17);
    TimerWheel wheel;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        wheel.insert(nodes[i], kSecond + i);
        wheel.remove(nodes[i]);
    }
    EXPECT_EQ(wheel.next_deadline(), std::nullopt) << "nothing is pending";
    wheel.insert(nodes[1], kHour);
    EXPECT_EQ(wheel.next_deadline(), kHour);
    wheel.insert(nodes[0], 2 * kSecond);
    EXPECT_EQ(wheel.next_deadline(), 2 * kSecond);
    wheel.collect(2 * kSecond);
    EXPECT_EQ(pop_all(wheel, nodes), Order({0}));
}

TEST(TimerWheel, LetsACancelledTimerBeDestroyedOnceItIsForgotten) {
    TimerWheel wheel;
    auto parked = std::make_unique<TimerNode>();
    auto pending = std::make_unique<TimerNode>();
    TimerNode other;
    wheel.insert(*parked, kSecond);
    wheel.insert(*pending, kSecond);
    wheel.insert(other, kSecond);
    wheel.remove(*parked);
    for (auto* node : {&parked, &pending}) {
        wheel.forget(**node);
        EXPECT_FALSE(TimerWheel::pending(**node));
        node->reset();
    }
    EXPECT_EQ(wheel.size(), 1U);
    wheel.collect(kSecond);
    EXPECT_EQ(wheel.pop_due(), &other);
}

TEST(TimerWheel, LeavesAnIdleTimerAloneOnRemove) {
    TimerWheel wheel;
    TimerNode node;
    EXPECT_FALSE(wheel.remove(node));
    wheel.insert(node, 1);
    wheel.collect(1);
    ASSERT_EQ(wheel.pop_due(), &node);
    EXPECT_FALSE(wheel.remove(node));
    EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheel, KeepsTheDeadlineOfAPoppedTimerAndTakesItAgain) {
    TimerWheel wheel;
    TimerNode node;
    for (Time deadline = 7; deadline < kHour; deadline *= 3) {
        wheel.insert(node, deadline);
        wheel.collect(deadline);
        ASSERT_EQ(wheel.pop_due(), &node);
        EXPECT_EQ(node.deadline_ns, deadline);
        EXPECT_FALSE(TimerWheel::pending(node));
    }
}

TEST(TimerWheel, LetsATimerThatWasPoppedBeDestroyed) {
    TimerWheel wheel;
    auto node = std::make_unique<TimerNode>();
    TimerNode other;
    wheel.insert(*node, 1);
    wheel.insert(other, 1);
    wheel.collect(1);
    ASSERT_EQ(wheel.pop_due(), node.get());
    node.reset();
    EXPECT_EQ(wheel.pop_due(), &other);
}

TEST(TimerWheel, MakesPendingTimersIdleWhenItIsDestroyed) {
    std::vector<TimerNode> nodes(6);
    {
        TimerWheel wheel;
        wheel.insert(nodes[0], 1);
        wheel.collect(kMicrosecond);
        wheel.insert(nodes[1], 0);
        wheel.insert(nodes[2], kMillisecond);
        wheel.insert(nodes[3], kSecond);
        wheel.insert(nodes[4], kSecond);
        wheel.insert(nodes[5], kEndOfTime);
    }
    TimerWheel wheel;
    for (TimerNode& node : nodes) {
        EXPECT_FALSE(TimerWheel::pending(node));
        wheel.insert(node, kSecond);
    }
    wheel.collect(kSecond);
    EXPECT_EQ(pop_all(wheel, nodes), Order({0, 1, 2, 3, 4, 5}));
}

TEST(TimerWheel, WakesEarlyOnlyToMoveManyTimers) {
    TimerWheel wheel;
    std::vector<TimerNode> nodes(20000);
    std::mt19937_64 random(11);
    std::uniform_int_distribution<Time> delay(kMillisecond, 10 * kHour);
    for (TimerNode& node : nodes) wheel.insert(node, delay(random));
    std::size_t early = 0;
    Time now = 0;
    while (const auto next = wheel.next_deadline()) {
        ASSERT_GT(*next, now);
        now = *next;
        wheel.collect(now);
        if (pop_all(wheel, nodes).empty()) ++early;
    }
    EXPECT_LT(early * 17, nodes.size() * 6);
    EXPECT_GT(early, 0U);
}

/// What the wheel promises, in the obvious way: the multimap keeps equal keys in insertion order.
class Model {
  public:
    void insert(std::size_t id, Time deadline) { waiting_.emplace(deadline, id); }

    bool remove(std::size_t id, Time deadline) {
        if (const auto it = std::find(due_.begin(), due_.end(), id); it != due_.end()) {
            due_.erase(it);
            return true;
        }
        auto [it, end] = waiting_.equal_range(deadline);
        while (it != end && it->second != id) ++it;
        if (it == end) return false;
        waiting_.erase(it);
        return true;
    }

    void collect(Time now) {
        const auto end = waiting_.upper_bound(now);
        for (auto it = waiting_.begin(); it != end; ++it) due_.push_back(it->second);
        waiting_.erase(waiting_.begin(), end);
    }

    std::optional<std::size_t> pop() {
        if (due_.empty()) return std::nullopt;
        const std::size_t id = due_.front();
        due_.pop_front();
        return id;
    }

    std::size_t size() const { return waiting_.size() + due_.size(); }
    bool any_due() const { return !due_.empty(); }
    /// Only when `waiting_` is not empty.
    Time earliest_waiting() const { return waiting_.begin()->first; }

  private:
    std::multimap<Time, std::size_t> waiting_;
    std::deque<std::size_t> due_;
};

struct Case {
    const char* name;
    std::uint64_t seed;
    std::size_t timers;
    Time start;
    Time largest_jump;
};

/// Does the same at random to a wheel and to the model, and compares all that can be seen.
class Differential : public testing::TestWithParam<Case> {
  protected:
    void step() {
        switch (pick(8)) {
            case 0:
            case 1:
            case 2:
                insert();
                break;
            case 3:
                remove();
                break;
            case 4:
            case 5:
                pop();
                break;
            default:
                collect();
                break;
        }
        ASSERT_EQ(wheel_.size(), model_.size());
        ASSERT_EQ(wheel_.empty(), model_.size() == 0);
        most_pending_ = std::max(most_pending_, wheel_.size());
        // Not at every step, because looking puts the present tick in order.
        if (pick(2) == 0) check_next_deadline();
    }

    Time pick(Time bound) { return std::uniform_int_distribution<Time>(0, bound - 1)(random_); }

    Time some_delay() {
        static constexpr Time kScales[] = {2,
                                           100,
                                           3 * kMicrosecond,
                                           300 * kMicrosecond,
                                           20 * kMillisecond,
                                           30 * kSecond,
                                           2 * kHour,
                                           1000 * 24 * kHour};
        return pick(kScales[pick(std::size(kScales))]);
    }

    Time some_deadline() {
        switch (pick(12)) {
            case 0:
                return now_ - std::min(now_, some_delay());
            case 1:
                return now_;
            case 2:
                return kEndOfTime - pick(3);
            case 3:
            case 4:
                return nodes_[pick(nodes_.size())].deadline_ns;
            case 5: {
                const Time width = Time{1} << pick(60);
                return later(later(now_, some_delay()) / width * width, pick(2));
            }
            default:
                return later(now_, some_delay());
        }
    }

    void insert() {
        const std::size_t id = pick(nodes_.size());
        if (TimerWheel::pending(nodes_[id])) return;
        const Time deadline = some_deadline();
        wheel_.insert(nodes_[id], deadline);
        model_.insert(id, deadline);
        ASSERT_TRUE(TimerWheel::pending(nodes_[id]));
    }

    void remove() {
        const std::size_t id = pick(nodes_.size());
        const bool expected = model_.remove(id, nodes_[id].deadline_ns);
        ASSERT_EQ(TimerWheel::pending(nodes_[id]), expected);
        if (pick(4) == 0) {
            wheel_.forget(nodes_[id]);
        } else {
            ASSERT_EQ(wheel_.remove(nodes_[id]), expected);
        }
        ASSERT_FALSE(TimerWheel::pending(nodes_[id]));
    }

    void pop() {
        for (Time left = pick(10); left > 0; --left) {
            const auto expected = model_.pop();
            const TimerNode* node = wheel_.pop_due();
            ASSERT_EQ(node, expected ? &nodes_[*expected] : nullptr);
            if (node == nullptr) return;
            ASSERT_FALSE(TimerWheel::pending(*node));
        }
    }

    void collect() {
        now_ = later(now_, some_jump());
        wheel_.collect(now_);
        model_.collect(now_);
    }

    /// Bounded, except rarely: else the far timers would soon take the clock to the end of time.
    Time some_jump() {
        if (pick(10'000) == 0) return some_delay();
        const Time next = wheel_.next_deadline().value_or(0);
        if (next > now_ && next - now_ < GetParam().largest_jump) {
            if (pick(3) == 0) return next - now_;
            if (pick(3) == 0) return next - now_ - 1;
        }
        return std::min(pick(2) == 0 ? some_delay() : kEndOfTime, pick(GetParam().largest_jump));
    }

    void check_next_deadline() {
        const auto next = wheel_.next_deadline();
        ASSERT_EQ(next.has_value(), model_.size() > 0);
        if (!next) return;
        if (model_.any_due()) {
            ASSERT_EQ(*next, Time{0});
            return;
        }
        const Time earliest = model_.earliest_waiting();
        ASSERT_LE(*next, earliest);
        // A bound that is not exact must lie ahead, or a loop that waits for it would spin.
        ASSERT_TRUE(*next == earliest || *next > now_);
        // Too few timers to share a slot that is not searched.
        ASSERT_TRUE(*next == earliest || nodes_.size() > 16);
    }

    std::mt19937_64 random_{GetParam().seed};
    std::vector<TimerNode> nodes_ = std::vector<TimerNode>(GetParam().timers);
    Time now_ = GetParam().start;
    TimerWheel wheel_{now_};
    Model model_;
    Time inserts_in_100_ = 60;
    std::size_t most_pending_ = 0;
};

TEST_P(Differential, DoesWhatTheModelDoes) {
    for (int i = 0; i < 1'000'000 && !HasFatalFailure(); ++i) step();
    EXPECT_GT(most_pending_, nodes_.size() / 4) << "too few at a time to mean much";
}

INSTANTIATE_TEST_SUITE_P(
    TimerWheel, Differential,
    testing::Values(Case{"FewTimers", 1, 12, 0, 10 * kMillisecond},
                    Case{"FewTimersLongJumps", 2, 16, kHour, 10 * kHour},
                    Case{"MediumShortJumps", 3, 300, 77 * kHour + 5, 50 * kMicrosecond},
                    Case{"MediumLongJumps", 4, 300, 77 * kHour + 5, 20 * kSecond},
                    Case{"ManyStandingStill", 5, 5000, 5 * kHour, 3},
                    Case{"ManyShortJumps", 6, 5000, 5 * kHour, 10 * kMicrosecond},
                    Case{"ManyMediumJumps", 7, 5000, 5 * kHour, 20 * kMillisecond},
                    Case{"ManyLongJumps", 8, 20000, 0, kHour},
                    Case{"AtTheEndOfTime", 9, 1000, kEndOfTime - kHour, 20 * kMillisecond}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace loopbench
