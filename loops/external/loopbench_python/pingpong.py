"""Ping-pong: a token goes round T tasks (or callbacks) through the ready queue. One operation is
one switch: the token has reached the next of them. By variant,
 - callback: a callback runs, which has the loop call the next one soon;
 - yield: a task goes on after it let all the others go first;
 - event: a task goes on because the one before it set its event;
 - cancel, cancel-throw: a task's wait ends by CancelledError, because the one before
   cancelled it;
 - spawn: a task that has just been made makes the next one, and ends."""

import asyncio
import time

from .parameters import reject
from .workload import Workload

VARIANTS = ("callback", "yield", "event", "cancel", "cancel-throw", "spawn")
WITHOUT_TASKS = ("callback", "spawn")  # before the token comes


class PingPong(Workload):
    def __init__(self, loop, setup):
        super().__init__(loop)
        self._count = setup.reader.number("tasks", 2, 1, 10_000_000)
        self._variant = setup.reader.choice("variant", VARIANTS)
        if self._variant not in ("callback", "yield", "spawn") and self._count < 2:
            reject("tasks", self._count,
                   "at least 2 with this variant, where one task wakes the next")
        self._operations = 0
        self._holder = 0  # who is to have the token next
        self._remaining = 0  # switches of the slice
        self._gate = None
        self._events = []
        self._tasks = []
        self._newest = None  # with `spawn`: a loop keeps no strong reference

    def counters(self):
        return {"operations": self._operations, "task_switches": self._operations}

    def slice(self, operations):
        """Tasks are made before the timed section and ended after it, save with `spawn`."""
        self._make_tasks()
        self._holder = 0
        self._remaining = operations
        began = time.monotonic_ns()
        cpu_began = time.thread_time_ns()
        self._throw_in()
        self.loop.run_forever()
        cpu = time.thread_time_ns() - cpu_began
        elapsed = time.monotonic_ns() - began
        done = operations - self._remaining
        self._remaining = 0
        self._end_tasks()
        self._operations += done
        return {"operations": done, "elapsed_ns": elapsed,
                "metrics": {"cpu_ns_per_switch": cpu / operations}}

    def _after(self, place):
        return (place + 1) % self._count

    def _take(self, place):
        """The token has come to `place`. True when it is to go on; the last switch of a slice stops
        the loop."""
        if not self._remaining:
            return False
        if place != self._holder:
            self.check.fail(f"the token came to task {place} instead of task {self._holder}")
        place += 1
        self._holder = place if place < self._count else 0
        self._remaining -= 1
        if self._remaining:
            return True
        self.loop.stop()
        return False

    def _make_tasks(self):
        """Makes the tasks and runs them up to where they wait for the token."""
        if self._variant in WITHOUT_TASKS:
            return
        self._gate = asyncio.Event()
        self._events = [asyncio.Event() for _ in range(self._count)]
        body = {"yield": self._yielding, "event": self._signalled}.get(
            self._variant, self._cancelled)
        self._tasks = [self.loop.create_task(body(place)) for place in range(self._count)]
        # What was made first runs first: when this is through, all of them wait.
        self.loop.run_until_complete(asyncio.sleep(0))

    def _throw_in(self):
        if self._variant == "callback":
            self.loop.call_soon(self._hop, 0)
        elif self._variant == "yield":
            self._gate.set()
        elif self._variant == "event":
            self._events[0].set()
        elif self._variant == "spawn":
            self._newest = self.loop.create_task(self._short_lived(0))
        else:
            self._tasks[0].cancel()

    def _end_tasks(self):
        if self._variant in WITHOUT_TASKS:
            return
        self._gate.set()
        for event in self._events:
            event.set()
        self.loop.run_until_complete(asyncio.gather(*self._tasks))
        self._tasks = []

    def _hop(self, place):
        if self._take(place):
            place += 1
            self.loop.call_soon(self._hop, place if place < self._count else 0)

    async def _short_lived(self, place):
        if self._take(place):
            self._newest = self.loop.create_task(self._short_lived(self._after(place)))

    async def _yielding(self, place):
        take, sleep = self._take, asyncio.sleep
        await self._gate.wait()
        await sleep(0)
        while take(place):
            await sleep(0)

    async def _signalled(self, place):
        take, mine, following = self._take, self._events[place], self._events[self._after(place)]
        while True:
            await mine.wait()
            mine.clear()
            if not take(place):
                return
            following.set()

    async def _cancelled(self, place):
        take, gate = self._take, self._gate  # which nobody opens before the slice is over
        mine, following = self._tasks[place], self._tasks[self._after(place)]
        while True:
            try:
                await gate.wait()
                return
            except asyncio.CancelledError:
                mine.uncancel()  # as asyncio wants of a task that goes on
            if not take(place):
                return
            following.cancel()
