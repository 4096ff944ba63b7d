"""Cancel: how many turns after `Task.cancel` a task sees its CancelledError, by what it waits for.
One operation is one cancelled task. A callback that has itself called in every pass, of which a
turn has one here, counts them, makes the tasks and cancels them."""

import asyncio
import socket
import time

from .workload import Workload

AN_HOUR_S = 3600


class Cancel(Workload):
    def __init__(self, loop, setup):
        super().__init__(loop)
        waits = {"event": self._wait_for_event, "sleep": self._sleep, "read": self._read}
        self._wait = waits[setup.reader.choice("wait", tuple(waits))]
        self._event = asyncio.Event()
        self._quiet, self._peer = socket.socketpair()
        self._quiet.setblocking(False)
        self._operations = 0
        self._turns = 0
        self._task = None
        self._is_waiting = False
        self._cancelled_in = None  # turns, of the present task
        self._delivered_in = None

    def counters(self):
        return {"operations": self._operations}

    def slice(self, operations):
        self._left = operations
        self._delays = 0  # turns from cancelling to delivery, over all tasks
        self._next_turns = 0
        began = time.monotonic_ns()
        self.loop.call_soon(self._tick)
        self.loop.run_forever()
        elapsed = time.monotonic_ns() - began
        done = operations - self._left
        self._operations += done
        return {"operations": done, "elapsed_ns": elapsed,
                "metrics": {"turns_to_cancel": self._delays / operations,
                            "next_turn_share": self._next_turns / operations}}

    def shut_down(self):
        self._quiet.close()
        self._peer.close()

    def _tick(self):
        self._turns += 1
        if self._task is not None and self._task.done():
            self._account()
        if not self._left:
            return self.loop.stop()
        self.loop.call_soon(self._tick)
        if self._task is None:
            self._is_waiting = False
            self._cancelled_in = self._delivered_in = None
            self._task = self.loop.create_task(self._victim())
        elif self._is_waiting and self._cancelled_in is None:
            self._cancelled_in = self._turns
            self._task.cancel()

    async def _victim(self):
        self._is_waiting = True  # once this callback is through
        try:
            await self._wait()
        except asyncio.CancelledError:
            self._delivered_in = self._turns
            raise

    def _account(self):
        if not self._task.cancelled() or self._delivered_in is None:
            self.check.fail("a task that was cancelled in its wait did not end as cancelled")
            self._left = 0
            return
        delay = self._delivered_in - self._cancelled_in
        self._delays += delay
        self._next_turns += delay == 1
        self._left -= 1
        self._task = None

    async def _wait_for_event(self):
        await self._event.wait()

    async def _sleep(self):
        await asyncio.sleep(AN_HOUR_S)

    async def _read(self):
        await self.loop.sock_recv(self._quiet, 1)
