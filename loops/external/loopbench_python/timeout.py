"""Timeout: waits under `asyncio.timeout`, so many at once. One operation is one wait for an
inner task:
 - expires: for one that waits for what never comes. Has it been cancelled before the outer one sees
   the TimeoutError?
 - met: for one that is done before long. Its result must arrive."""

import asyncio
import random
import time

from .workload import Workload

SHORTEST_S = 1e-3
LONGEST_S = 5e-3
LONG_ENOUGH_S = 10


class Timeout(Workload):
    def __init__(self, loop, setup):
        super().__init__(loop)
        self._count = setup.reader.number("tasks", 100, 1, 10_000_000)
        self._expires = setup.reader.choice("outcome", ("expires", "met")) == "expires"
        self._draw = random.Random(setup.seed).uniform
        self._operations = 0

    def counters(self):
        return {"operations": self._operations}

    def slice(self, operations):
        self._never = asyncio.Event()
        self._inner_cancelled = set()  # numbers of the operations
        self._cancelled_first = 0
        rounds = -(-operations // self._count)
        began = time.monotonic_ns()
        self.loop.run_until_complete(self._rounds(rounds))
        elapsed = time.monotonic_ns() - began
        done = rounds * self._count
        self._operations += done
        metrics = {"cancelled_first_share": self._cancelled_first / done} if self._expires else {}
        return {"operations": done, "elapsed_ns": elapsed, "metrics": metrics}

    async def _rounds(self, count):
        operation = self._expire if self._expires else self._meet
        for _ in range(count):
            await asyncio.gather(*(operation(number) for number in range(self._count)))
            self._inner_cancelled.clear()

    async def _expire(self, number):
        inner = self.loop.create_task(self._wait_in_vain(number))
        await asyncio.sleep(0)  # one that has not begun would see no CancelledError
        try:
            async with asyncio.timeout(self._draw(SHORTEST_S, LONGEST_S)):
                await inner
        except TimeoutError:
            self._cancelled_first += number in self._inner_cancelled
        else:
            self.check.fail("a wait for what never comes ended without TimeoutError")

    async def _wait_in_vain(self, number):
        try:
            await self._never.wait()
        except asyncio.CancelledError:
            self._inner_cancelled.add(number)
            raise

    async def _meet(self, number):
        inner = self.loop.create_task(self._give(number))
        try:
            async with asyncio.timeout(LONG_ENOUGH_S):
                result = await inner
        except TimeoutError:
            result = "a TimeoutError"
        if result != number:
            self.check.fail(f"the result {number} was awaited, and what arrived is {result}")

    async def _give(self, number):
        await asyncio.sleep(0)
        return number
