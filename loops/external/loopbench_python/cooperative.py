"""Cooperative: a task spins and gives way to nobody, or every now and then. How long a timer and a
byte that come meanwhile have to wait is the price. One operation is one round:
 - a timer is armed for a tenth of the spin, and a byte is sent to a socket that the loop watches;
 - the task spins, and then waits until both have been served;
 - the byte has been sent back, and is checked."""

import asyncio
import socket
import time

from .workload import Workload


class Cooperative(Workload):
    def __init__(self, loop, setup):
        super().__init__(loop)
        self._spin_ns = 1000 * setup.reader.number("spin_us", 1000, 1, 10_000_000)
        self._await_every_ns = 1000 * setup.reader.number("await_every_us", 0, 0, 10_000_000)
        self._peer, self._watched = socket.socketpair()
        self._peer.setblocking(False)
        self._watched.setblocking(False)
        self._operations = 0
        self._began = 0  # of the round
        self._unserved = 0
        self._served = None
        self._timer_delay_ns = 0
        self._echo_delay_ns = 0

    def set_up(self):
        self.loop.add_reader(self._watched, self._send_back)

    def counters(self):
        return {"operations": self._operations}

    def slice(self, operations):
        self._timer_delay_ns = self._echo_delay_ns = 0
        began = time.monotonic_ns()
        self.loop.run_until_complete(self._rounds(operations))
        elapsed = time.monotonic_ns() - began
        self._operations += operations
        spun = operations * self._spin_ns
        return {"operations": operations, "elapsed_ns": elapsed,
                "metrics": {"timer_delay_per_spin": self._timer_delay_ns / spun,
                            "echo_delay_per_spin": self._echo_delay_ns / spun}}

    def shut_down(self):
        self.loop.remove_reader(self._watched)
        self._peer.close()
        self._watched.close()

    async def _rounds(self, count):
        for number in range(count):
            await self._round(bytes([number % 256]))

    async def _round(self, byte):
        self._unserved = 2
        self._served = self.loop.create_future()
        self._began = time.monotonic_ns()
        self.loop.call_at((self._began + self._spin_ns // 10) * 1e-9, self._timer_ran)
        self._peer.send(byte)
        await self._spin()
        await self._served
        if self._peer.recv(2) != byte:
            self.check.fail("the byte that came back is not the one that was sent")

    async def _spin(self):
        now = time.monotonic_ns
        end = self._began + self._spin_ns
        if not self._await_every_ns:
            while now() < end:
                pass
            return
        at = now()
        while at < end:
            give_way = at + self._await_every_ns
            while at < give_way and at < end:
                at = now()
            await asyncio.sleep(0)
            at = now()

    def _timer_ran(self):
        self._timer_delay_ns += time.monotonic_ns() - self._began
        self._one_served()

    def _send_back(self):
        byte = self._watched.recv(2)
        self._echo_delay_ns += time.monotonic_ns() - self._began
        self._watched.send(byte)
        self._one_served()

    def _one_served(self):
        self._unserved -= 1
        if not self._unserved:
            self._served.set_result(None)
