#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace loopbench {

/// The links of a circular list; a list of the wheel is a link that stands at its own end.
struct TimerLink {
    TimerLink* prev;
    TimerLink* next;
};

/// One timer, owned by the caller and in at most one wheel at a time. The wheel allocates nothing,
/// so a node that was inserted must stay where it is until it is popped or forgotten, or its wheel
/// is gone; destroying it earlier is asserted against.
struct TimerNode : private TimerLink {
    TimerNode() : TimerLink{nullptr, nullptr}, sequence_(0), place_(0), parked_(0) {}
    TimerNode(const TimerNode&) = delete;
    TimerNode& operator=(const TimerNode&) = delete;
    ~TimerNode() { assert(next == nullptr && "a timer is destroyed that its wheel still knows"); }

    /// As given to the last `insert`; still there after the timer is popped, which is when its
    /// lateness is computed. Only the wheel writes it.
    std::uint64_t deadline_ns = 0;

  private:
    friend class TimerWheel;
    std::uint64_t sequence_ : 48;  // of insertions, for equal deadlines
    std::uint64_t place_ : 15;     // the level and slot whose list it is in, or `kNoSlot`
    std::uint64_t parked_ : 1;     // removed, and still in that list
};

static_assert(sizeof(TimerNode) <= 32, "a loop adds 16 bytes, and a timer is to fit in 48");

/// A hierarchical timing wheel with exact deadlines, for one thread. It reads no clock: times are
/// nanoseconds on any scale that does not go back, from 0 to UINT64_MAX.
///
/// Time is counted in ticks of 2^10 ns. Every level is a ring of 4096 slots, each level's slots
/// wider than those of the level below, and a timer stands in the lowest level whose ring reaches
/// its tick. When time reaches a slot, the slot is opened: its timers go to where they then belong,
/// a lower level or, in the end, the list of the present tick. That list, which also takes what is
/// inserted already past, is sorted before anybody looks at it: so deadlines are exact whatever
/// the widths of slots are, and a sequence number puts equal deadlines in the order of insertion.
///
/// Most timers are put off or cancelled long before they are due. So `remove` leaves a node in its
/// slot, parked, and an `insert` that asks for no earlier a time than that of the slot leaves it
/// there, too: both touch the node alone, where unlinking would touch its neighbours, which are
/// seldom in the cache. When the slot is opened, its nodes go to where they belong by then.
///
/// The geometry is measured. With slots of 4 ms at the level that reaches 17 s, the timers of one
/// slot are still in the cache when their ticks come up a moment later, so that of a million
/// timers spread over 10 s each costs one miss on expiry, not one per level. Rings that wrap,
/// rather than levels that are digits of the time, keep a timer at the level of its distance: with
/// digits, each time a high digit turned over, most pending timers would move in that one turn.
class TimerWheel {
  public:
    /// `now_ns` is a time from which on `collect` will be called.
    explicit TimerWheel(std::uint64_t now_ns = 0);

    /// Timers still pending become idle: they may be destroyed, or inserted elsewhere.
    ~TimerWheel();

    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    /// Starts an idle timer (asserted). One whose deadline is past is due at the next `collect`,
    /// never before it, so a timer that restarts itself starves nobody. O(1).
    void insert(TimerNode& node, std::uint64_t deadline_ns);

    /// Cancels a timer, even one that is collected and not yet popped: it will not be popped. An
    /// idle one is left as it is. Returns whether it was pending. O(1).
    bool remove(TimerNode& node);

    /// The same for a node that is to be destroyed, or inserted elsewhere. O(1).
    void forget(TimerNode& node);

    /// True from `insert` until the timer is popped or removed, thus also while it is due.
    static bool pending(const TimerNode& node) { return node.next != nullptr && !node.parked_; }

    /// When to call `collect` next: 0 if collected timers wait to be popped, nothing if no timer is
    /// pending, and otherwise a time that is never later than the earliest deadline.
    ///
    /// It is the earliest deadline exactly, except where an earliest slot of a level holds more
    /// than 16 timers, which are not searched: then it may be the time at which that slot begins.
    /// That is later than the last `collect`, and a `collect` at that time moves those timers to
    /// lower levels. A timer moves at most seven times for an `insert`, so wake-ups that find
    /// nothing due are fewer than 7 for 17 timers started; measured, 0 to 2 for 100.
    ///
    /// The cost is amortised: it may sort the present tick, and it moves what it finds parked or
    /// put off.
    std::optional<std::uint64_t> next_deadline();

    /// Appends every timer with `deadline_ns <= now_ns` to the due list: the earlier deadline
    /// first, equal deadlines in the order of insertion, all after those that an earlier call left
    /// there. `now_ns` must not be less than in the call before (asserted, to a tick). Costs what
    /// moving the timers costs; time in which nothing happens is free, however long.
    void collect(std::uint64_t now_ns);

    /// Takes the first of the due list, which is idle from then on; null if there is none.
    TimerNode* pop_due();

    /// The number of pending timers, due ones included.
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

  private:
    static constexpr unsigned kTickBits = 10;
    static constexpr unsigned kRingSlots = 64 * 64;
    /// A slot of level i is 2^kShift[i] ticks wide: 1 µs, 4.2 ms, 1.1 s, 4.6 min, 20 h, 52 days.
    /// The ring of the last reaches UINT64_MAX from anywhere.
    static constexpr auto kShift = std::to_array<unsigned>({0, 12, 20, 28, 36, 42});
    static_assert(UINT64_MAX >> kTickBits >> kShift.back() < kRingSlots);
    static constexpr unsigned kScanLimit = 16;
    static constexpr unsigned kNoSlot = 0x7fff;
    static_assert(kShift.size() * kRingSlots <= kNoSlot);
    static constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << 48) - 1;

    /// The set of slots in use, as bits in two storeys.
    class SlotSet {
      public:
        bool empty() const { return words_in_use_ == 0; }
        bool contains(unsigned slot) const { return (words_[slot / 64] >> slot % 64 & 1) != 0; }
        void add(unsigned slot);
        void drop(unsigned slot);
        /// The first member at `start` or after it, going round. The set must not be empty.
        unsigned first_from(unsigned start) const;

      private:
        std::uint64_t words_in_use_ = 0;
        std::array<std::uint64_t, 64> words_{};
    };

    struct Level {
        /// What is not in use is uninitialised, so that a wheel with few timers touches little
        /// memory. What is in use may be empty: `remove` only unlinks.
        SlotSet in_use;
        std::array<TimerLink, kRingSlots> slots;
    };

    struct Position {
        unsigned level;
        unsigned slot;
        std::uint64_t first_tick;
    };

    static TimerNode* node_of(TimerLink* link) { return static_cast<TimerNode*>(link); }
    static void clear(TimerLink& list) { list.prev = list.next = &list; }
    static bool is_empty(const TimerLink& list) { return list.next == &list; }
    static void append(TimerLink& list, TimerLink* first, TimerLink* last);
    static void move_all(TimerLink& from, TimerLink& to);
    static void make_idle(TimerLink& list);
    static void unlink(TimerNode& node);
    static bool before(const TimerNode& a, const TimerNode& b);
    static void insert_in_order(TimerLink& list, TimerNode* chain);
    static TimerNode* merge(TimerNode* a, TimerNode* b);
    static void sort(TimerLink& list);
    static void merge_sort(TimerLink& list);
    static void bucket_sort(TimerLink& list, std::uint64_t least_ns, std::uint64_t most_ns);

    void place(TimerNode& node);
    bool may_stay(const TimerNode& node) const;
    std::uint64_t first_tick_of(unsigned place) const;
    std::uint64_t tidy(const Position& slot);
    std::optional<Position> first_slot(unsigned level);
    std::optional<Position> first_wide_slot();
    void leave_tick(std::uint64_t next_tick);
    void open_ticks(std::uint64_t end_tick);
    void open(const Position& position);
    void order_present();

    std::uint64_t tick_;
    std::uint64_t next_sequence_ = 0;
    std::size_t size_ = 0;
    bool present_ordered_ = true;
    TimerLink present_;
    TimerLink due_;
    std::array<Level, kShift.size()> levels_;
};

inline TimerWheel::TimerWheel(std::uint64_t now_ns) : tick_(now_ns >> kTickBits) {
    clear(present_);
    clear(due_);
}

inline TimerWheel::~TimerWheel() {
    make_idle(present_);
    make_idle(due_);
    for (unsigned level = 0; level < levels_.size(); ++level) {
        while (const auto position = first_slot(level)) {
            make_idle(levels_[level].slots[position->slot]);
        }
    }
}

inline void TimerWheel::insert(TimerNode& node, std::uint64_t deadline_ns) {
    assert(!pending(node));
    node.deadline_ns = deadline_ns;
    node.sequence_ = next_sequence_++ & kSequenceMask;
    ++size_;
    if (node.next != nullptr) {
        if (may_stay(node)) {
            node.parked_ = 0;
            return;
        }
        unlink(node);
    }
    place(node);
}

/// Whether a parked node's slot is opened in time for its deadline. One tick's slot takes nothing
/// beyond its own ring, so that opening it fills no wider slot: `collect` is through with those.
inline bool TimerWheel::may_stay(const TimerNode& node) const {
    const std::uint64_t tick = node.deadline_ns >> kTickBits;
    const std::uint64_t first_tick = first_tick_of(node.place_);
    if (tick < first_tick) return false;
    return node.place_ >= kRingSlots || tick - first_tick < kRingSlots;
}

inline bool TimerWheel::remove(TimerNode& node) {
    if (!pending(node)) return false;
    --size_;
    if (node.place_ == kNoSlot) {
        unlink(node);
    } else {
        node.parked_ = 1;
    }
    return true;
}

inline void TimerWheel::forget(TimerNode& node) {
    remove(node);
    if (node.next != nullptr) unlink(node);
}

inline std::optional<std::uint64_t> TimerWheel::next_deadline() {
    if (!is_empty(due_)) return 0;
    if (size_ == 0) return std::nullopt;
    if (!is_empty(present_)) {
        order_present();
        return node_of(present_.next)->deadline_ns;
    }
    std::uint64_t next_ns = UINT64_MAX;
    for (unsigned level = 0; level < levels_.size(); ++level) {
        while (const auto position = first_slot(level)) {
            if (next_ns <= (position->first_tick << kTickBits)) break;
            next_ns = std::min(next_ns, tidy(*position));
            if (!is_empty(levels_[level].slots[position->slot])) break;
        }
    }
    return next_ns;
}

inline void TimerWheel::collect(std::uint64_t now_ns) {
    const std::uint64_t now_tick = now_ns >> kTickBits;
    assert(now_tick >= tick_);
    for (auto wide = first_wide_slot(); wide && wide->first_tick <= now_tick;
         wide = first_wide_slot()) {
        // The slot is opened before its first tick is left, for it may hold timers of that tick.
        open_ticks(wide->first_tick);
        leave_tick(wide->first_tick);
        open(*wide);
    }
    open_ticks(now_tick + 1);
    leave_tick(now_tick);
    if (is_empty(present_)) return;
    order_present();
    TimerLink* const first = present_.next;
    TimerLink* end = first;
    while (end != &present_ && node_of(end)->deadline_ns <= now_ns) end = end->next;
    if (end == first) return;
    TimerLink* const last = end->prev;
    present_.next = end;
    end->prev = &present_;
    append(due_, first, last);
}

inline TimerNode* TimerWheel::pop_due() {
    if (is_empty(due_)) return nullptr;
    TimerNode* const node = node_of(due_.next);
    unlink(*node);
    --size_;
    return node;
}

inline void TimerWheel::SlotSet::add(unsigned slot) {
    words_[slot / 64] |= std::uint64_t{1} << slot % 64;
    words_in_use_ |= std::uint64_t{1} << slot / 64;
}

inline void TimerWheel::SlotSet::drop(unsigned slot) {
    std::uint64_t& word = words_[slot / 64];
    word &= ~(std::uint64_t{1} << slot % 64);
    if (word == 0) words_in_use_ &= ~(std::uint64_t{1} << slot / 64);
}

inline unsigned TimerWheel::SlotSet::first_from(unsigned start) const {
    const unsigned start_word = start / 64;
    if (const std::uint64_t rest = words_[start_word] >> start % 64; rest != 0) {
        return start + static_cast<unsigned>(std::countr_zero(rest));
    }
    // The turn ends where it began, with the low bits of the word in which it started.
    const unsigned next_word = (start_word + 1) % 64;
    const std::uint64_t turned = std::rotr(words_in_use_, static_cast<int>(next_word));
    const unsigned word = (next_word + static_cast<unsigned>(std::countr_zero(turned))) % 64;
    return word * 64 + static_cast<unsigned>(std::countr_zero(words_[word]));
}

inline void TimerWheel::append(TimerLink& list, TimerLink* first, TimerLink* last) {
    first->prev = list.prev;
    last->next = &list;
    list.prev->next = first;
    list.prev = last;
}

inline void TimerWheel::move_all(TimerLink& from, TimerLink& to) {
    if (is_empty(from)) return;
    append(to, from.next, from.prev);
    clear(from);
}

inline void TimerWheel::make_idle(TimerLink& list) {
    for (TimerLink* link = list.next; link != &list;) {
        TimerLink* const next = link->next;
        link->next = nullptr;
        node_of(link)->parked_ = 0;
        link = next;
    }
    clear(list);
}

inline void TimerWheel::unlink(TimerNode& node) {
    node.prev->next = node.next;
    node.next->prev = node.prev;
    node.next = nullptr;
    node.parked_ = 0;
}

inline bool TimerWheel::before(const TimerNode& a, const TimerNode& b) {
    if (a.deadline_ns != b.deadline_ns) return a.deadline_ns < b.deadline_ns;
    return a.sequence_ < b.sequence_;
}

/// Links a node in where its deadline belongs as seen from `tick_`.
inline void TimerWheel::place(TimerNode& node) {
    const std::uint64_t tick = node.deadline_ns >> kTickBits;
    if (tick <= tick_) {
        if (!is_empty(present_) && before(node, *node_of(present_.prev))) present_ordered_ = false;
        append(present_, &node, &node);
        node.place_ = kNoSlot;
        return;
    }
    unsigned i = 0;
    while ((tick >> kShift[i]) - (tick_ >> kShift[i]) >= kRingSlots) ++i;
    const auto slot = static_cast<unsigned>((tick >> kShift[i]) % kRingSlots);
    Level& level = levels_[i];
    if (!level.in_use.contains(slot)) {
        level.in_use.add(slot);
        clear(level.slots[slot]);
    }
    append(level.slots[slot], &node, &node);
    node.place_ = (i * kRingSlots + slot) & kNoSlot;
}

/// When the slot is opened whose list is at `place`.
inline std::uint64_t TimerWheel::first_tick_of(unsigned place) const {
    const unsigned shift = kShift[place / kRingSlots];
    const std::uint64_t here = tick_ >> shift;
    return (here + (place - here) % kRingSlots) << shift;
}

/// A bound of the deadlines in a slot, exact where it holds few nodes: of those, what is parked is
/// let go, and what has been put off goes to where it belongs.
inline std::uint64_t TimerWheel::tidy(const Position& slot) {
    const std::uint64_t end_tick = slot.first_tick + (std::uint64_t{1} << kShift[slot.level]);
    TimerLink& list = levels_[slot.level].slots[slot.slot];
    std::uint64_t minimum_ns = UINT64_MAX;
    unsigned left = kScanLimit;
    for (TimerLink* link = list.next; link != &list;) {
        if (left-- == 0) return std::min(minimum_ns, slot.first_tick << kTickBits);
        TimerNode& node = *node_of(link);
        link = link->next;
        if (node.parked_) {
            unlink(node);
            continue;
        }
        minimum_ns = std::min(minimum_ns, node.deadline_ns);
        if ((node.deadline_ns >> kTickBits) >= end_tick) {
            unlink(node);
            place(node);
        }
    }
    return minimum_ns;
}

/// The earliest slot of a level that holds a node; on the way, forgets slots that were emptied.
inline std::optional<TimerWheel::Position> TimerWheel::first_slot(unsigned level) {
    SlotSet& in_use = levels_[level].in_use;
    const std::uint64_t here = tick_ >> kShift[level];
    while (!in_use.empty()) {
        const unsigned slot = in_use.first_from(static_cast<unsigned>(here % kRingSlots));
        if (!is_empty(levels_[level].slots[slot])) {
            const std::uint64_t distance = (slot - here) % kRingSlots;
            return Position{level, slot, (here + distance) << kShift[level]};
        }
        in_use.drop(slot);
    }
    return std::nullopt;
}

/// The earliest slot wider than a tick.
inline std::optional<TimerWheel::Position> TimerWheel::first_wide_slot() {
    std::optional<Position> first;
    for (unsigned level = 1; level < levels_.size(); ++level) {
        const auto position = first_slot(level);
        if (position && (!first || position->first_tick < first->first_tick)) first = position;
    }
    return first;
}

/// Goes on to a later tick: everything in the present one is due.
inline void TimerWheel::leave_tick(std::uint64_t next_tick) {
    if (next_tick == tick_) return;
    order_present();
    move_all(present_, due_);
    tick_ = next_tick;
}

/// Goes through the ticks that hold timers and come before `end_tick`.
inline void TimerWheel::open_ticks(std::uint64_t end_tick) {
    for (auto tick = first_slot(0); tick && tick->first_tick < end_tick; tick = first_slot(0)) {
        leave_tick(tick->first_tick);
        open(*tick);
    }
}

/// Moves the timers of the slot that begins at `tick_` to where they now belong, and lets go what
/// is parked there.
inline void TimerWheel::open(const Position& position) {
    Level& level = levels_[position.level];
    level.in_use.drop(position.slot);
    TimerLink& list = level.slots[position.slot];
    // The nodes are rarely in the cache, and a list gives its addresses one miss at a time. Walking
    // it from both ends at once halves the time that the misses take: measured at a million timers.
    TimerLink* ahead = list.prev;
    bool met = false;
    for (TimerLink* link = list.next; link != &list;) {
        TimerLink* const next = link->next;
        met = met || ahead == link || ahead == next;
        if (!met) {
            ahead = ahead->prev;
            __builtin_prefetch(ahead);
        }
        TimerNode& node = *node_of(link);
        if (node.parked_) {
            node.next = nullptr;
            node.parked_ = 0;
        } else {
            place(node);
        }
        link = next;
    }
}

inline void TimerWheel::order_present() {
    if (!present_ordered_) sort(present_);
    present_ordered_ = true;
}

/// Merges two sorted chains that end in null.
inline TimerNode* TimerWheel::merge(TimerNode* a, TimerNode* b) {
    TimerLink head{nullptr, nullptr};
    TimerLink* tail = &head;
    while (a != nullptr && b != nullptr) {
        TimerNode*& first = before(*b, *a) ? b : a;
        tail->next = first;
        tail = first;
        first = node_of(first->next);
    }
    tail->next = a != nullptr ? a : b;
    return node_of(head.next);
}

/// By the number of timers: of a few dozen in one tick, which is what a busy loop has, sorting into
/// buckets takes half the time of merging.
inline void TimerWheel::sort(TimerLink& list) {
    constexpr std::size_t few = 8;
    constexpr std::size_t many = 256;  // of which any order in one bucket must still be sorted
    std::size_t count = 0;
    std::uint64_t least_ns = UINT64_MAX;
    std::uint64_t most_ns = 0;
    for (const TimerLink* link = list.next; link != &list; link = link->next) {
        const std::uint64_t deadline_ns = static_cast<const TimerNode*>(link)->deadline_ns;
        least_ns = std::min(least_ns, deadline_ns);
        most_ns = std::max(most_ns, deadline_ns);
        ++count;
    }
    if (count > many) {
        merge_sort(list);
    } else if (count > few) {
        bucket_sort(list, least_ns, most_ns);
    } else {
        list.prev->next = nullptr;
        TimerNode* const chain = node_of(list.next);
        clear(list);
        insert_in_order(list, chain);
    }
}

/// Inserts each node of a chain that ends in null, from the back of a list that is in order.
inline void TimerWheel::insert_in_order(TimerLink& list, TimerNode* chain) {
    TimerLink* back = list.prev;  // read once: GCC 12.2 at -O2 does not see that it changes
    while (chain != nullptr) {
        TimerNode* const rest = node_of(chain->next);
        TimerLink* after = back;
        while (after != &list && before(*chain, *node_of(after))) after = after->prev;
        if (after == back) back = chain;
        chain->prev = after;
        chain->next = after->next;
        after->next->prev = chain;
        after->next = chain;
        chain = rest;
    }
}

inline void TimerWheel::bucket_sort(TimerLink& list, std::uint64_t least_ns,
                                    std::uint64_t most_ns) {
    constexpr unsigned bits = 6;
    std::array<TimerNode*, 1U << bits> first{};
    std::array<TimerNode*, 1U << bits> last;
    const auto width = static_cast<unsigned>(std::bit_width(most_ns - least_ns));
    const unsigned shift = width > bits ? width - bits : 0;
    for (TimerLink* link = list.next; link != &list;) {
        TimerNode* const node = node_of(link);
        link = link->next;
        const std::uint64_t bucket = (node->deadline_ns - least_ns) >> shift;
        node->next = nullptr;
        if (first[bucket] == nullptr) {
            first[bucket] = node;
        } else {
            last[bucket]->next = node;
        }
        last[bucket] = node;
    }
    clear(list);
    for (TimerNode* const chain : first) insert_in_order(list, chain);
}

/// Bottom-up merge sort, which allocates nothing, of the ascending runs that the list has already:
/// a list in order is one run and costs one walk. `merged[i]` is null or made of 2^i runs.
inline void TimerWheel::merge_sort(TimerLink& list) {
    std::array<TimerNode*, 64> merged{};
    list.prev->next = nullptr;
    for (TimerLink* rest = list.next; rest != nullptr;) {
        TimerNode* run = node_of(rest);
        TimerLink* last = rest;
        while (last->next != nullptr && before(*node_of(last), *node_of(last->next))) {
            last = last->next;
        }
        rest = last->next;
        last->next = nullptr;
        std::size_t i = 0;
        for (; merged[i] != nullptr; ++i) {
            run = merge(merged[i], run);
            merged[i] = nullptr;
        }
        merged[i] = run;
    }
    TimerNode* sorted = nullptr;
    for (TimerNode* chain : merged) {
        if (chain != nullptr) sorted = merge(chain, sorted);
    }
    clear(list);
    for (TimerNode* node = sorted; node != nullptr;) {
        TimerNode* const next = node_of(node->next);
        append(list, node, node);
        node = next;
    }
}

}  // namespace loopbench
