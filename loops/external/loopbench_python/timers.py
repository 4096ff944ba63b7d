"""Timers: a storm over many pending timers (storm.py). Each round goes through its phases apart:
cancelling, starting, expiring, with the CPU clock read between them."""

import random
import time

from .histogram import Histogram
from .storm import storm_parameters
from .workload import Workload

NEVER = float("inf")

# From ten minutes to an hour: never within a slice, and every distance a different place in a heap.
NEAREST_FAR_S = 600.0
FAR_SPREAD_S = 3000.0


class StormTimer:
    __slots__ = ("handle", "deadline", "kept")

    def __init__(self):
        self.handle = None
        self.deadline = NEVER  # must not fire
        self.kept = None  # the deadline as the library keeps it, of one in eight near timers


class Phase:
    """CPU time and number of handlings of one kind."""

    __slots__ = ("cpu_ns", "handlings")

    def __init__(self):
        self.cpu_ns = 0
        self.handlings = 0

    def add(self, cpu_ns, handlings):
        self.cpu_ns += cpu_ns
        self.handlings += handlings


class Timers(Workload):
    def __init__(self, loop, setup):
        super().__init__(loop)
        self._storm = storm_parameters(setup.reader)
        self._resolution_s = setup.library.timer_resolution_ns * 1e-9
        draw = random.Random(setup.seed)
        self._draw = draw.random
        # In the order drawn at the beginning: first those that expire, then the far ones, of which
        # every round draws those that it cancels to the front.
        self._order = [StormTimer() for _ in range(self._storm.pending)]
        draw.shuffle(self._order)
        self._fired = self._fire
        self._operations = 0
        self._unfired = 0  # of the round's near timers
        self._last_near = NEVER
        self._last_deadline = 0.0
        # How long after the first near start of a round the first timer is due: longer than
        # starting them all takes, so that none is late before the loop could look. That depends on
        # how many are pending: the first rounds find out.
        self._lead_s = 1e-3 + 20e-6 * self._storm.expiries

    def set_up(self):
        """Starts all timers except those that each round starts by itself. Between slices they stay
        pending, far in the future, so that a slice needs no lead-in and the loop sleeps
        meanwhile."""
        for timer in self._order[self._storm.expiries:]:
            self._start_far(timer)

    def counters(self):
        return {"operations": self._operations}

    def slice(self, operations):
        self._starts, self._cancels, self._expiries = Phase(), Phase(), Phase()
        self._lateness = Histogram()
        self._rounds = 0
        self._wanted_rounds = -(-operations // self._storm.handlings)
        began = time.monotonic_ns()
        self.loop.call_soon(self._begin_round)
        self.loop.run_forever()
        elapsed = time.monotonic_ns() - began
        phases = {"cpu_ns_per_start": self._starts, "cpu_ns_per_cancel": self._cancels,
                  "cpu_ns_per_expire": self._expiries}
        return {"operations": self._rounds * self._storm.handlings, "elapsed_ns": elapsed,
                "metrics": {name: phase.cpu_ns / phase.handlings
                            for name, phase in phases.items() if phase.handlings},
                "histograms": {"lateness": self._lateness.to_json()}
                              if self._lateness.values else {}}

    def _start_far(self, timer):
        delay = NEAREST_FAR_S + self._draw() * FAR_SPREAD_S
        timer.deadline = self.loop.time() + delay
        timer.handle = self.loop.call_later(delay, self._fired, timer)

    def _begin_round(self):
        storm = self._storm
        at_begin = time.thread_time_ns()
        self._cancel_some()
        at_cancelled = time.thread_time_ns()
        self._start_some()
        self._phase_began = time.thread_time_ns()
        self._cancels.add(at_cancelled - at_begin, storm.cancels)
        self._starts.add(self._phase_began - at_cancelled, storm.starts)
        self._unfired = storm.expiries
        self._last_deadline = 0.0
        if not self._unfired:
            self._end_round()

    def _cancel_some(self):
        order, draw = self._order, self._draw
        total = len(order)
        first = self._storm.expiries
        for i in range(first, first + self._storm.cancels):
            # Drawn without putting back: one that is cancelled is not cancelled again.
            j = i + int(draw() * (total - i))
            timer = order[j]
            order[j] = order[i]
            order[i] = timer
            if timer.deadline == NEVER:
                self._lost()
            timer.handle.cancel()
            timer.deadline = NEVER

    def _start_some(self):
        order, draw, storm = self._order, self._draw, self._storm
        start_far = self._start_far
        for i in range(storm.expiries, storm.expiries + storm.cancels):
            start_far(order[i])
        far = len(order) - storm.expiries
        for _ in range(storm.restarts):
            timer = order[storm.expiries + int(draw() * far)]
            if timer.deadline == NEVER:
                self._lost()
            timer.handle.cancel()
            start_far(timer)
        self._start_near()

    def _start_near(self):
        order, draw, call_at, fired = self._order, self._draw, self.loop.call_at, self._fired
        began = time.monotonic()
        first = began + self._lead_s
        spread = self._storm.spread_s
        self._last_near = first + spread
        for i in range(self._storm.expiries):
            timer = order[i]
            deadline = first + draw() * spread
            timer.deadline = deadline
            timer.handle = handle = call_at(deadline, fired, timer)
            if not i & 7:
                timer.kept = self._kept_deadline(handle)
        self._lead_s = max(self._lead_s, 1e-3 + 2 * (time.monotonic() - began))

    def _kept_deadline(self, handle):
        """As the library keeps it. uvloop has no timer for what is due at once."""
        return handle.when() if hasattr(handle, "when") else self.loop.time()

    def _fire(self, timer):
        deadline = timer.deadline
        timer.deadline = NEVER
        # Rounded to the library's resolution, an earlier deadline may come to lie behind
        # a later one.
        if deadline == NEVER or self._last_deadline - deadline > self._resolution_s:
            return self._misfired(deadline)
        self._last_deadline = deadline
        if timer.kept is not None:
            self._sample(timer)
        if deadline > self._last_near:
            return self._start_far(timer)  # the process is older than ten minutes
        self._unfired -= 1
        if not self._unfired:
            self._end_round()

    def _sample(self, timer):
        """For one in eight only, because reading the clock is a part of what expiring costs."""
        late_ns = int((time.monotonic() - timer.kept) * 1e9)
        timer.kept = None
        if late_ns < -1:  # asyncio's clock has a resolution of 1 ns, by which a timer may be early
            self.check.fail("a timer fired before its deadline")
        self._lateness.values.append(max(0, late_ns))

    def _lost(self):
        self.check.fail("a timer was lost: it is not pending and never fired")

    def _misfired(self, deadline):
        self.check.fail("a timer fired that was cancelled" if deadline == NEVER
                        else "timers fired out of order")
        self.loop.stop()

    def _end_round(self):
        self._expiries.add(time.thread_time_ns() - self._phase_began, self._storm.expiries)
        self._operations += self._storm.handlings
        self._rounds += 1
        if self._rounds == self._wanted_rounds or self.check.mistake is not None:
            self.loop.stop()
        else:
            self.loop.call_soon(self._begin_round)
