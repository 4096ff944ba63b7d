"""Fan-in: N senders, one loop that takes in what they send and checks it (intake.py). A round of
`active` messages is acknowledged by one byte on connection number 0."""

import asyncio
import contextlib

from .intake import Intake, Sender
from .server import PushConnection, Server

ACKNOWLEDGEMENT = b"\x06"


class Fanin(Server):
    def __init__(self, loop, setup):
        super().__init__(loop, setup)
        longest = max(self.parameters.read_buffer, self.library_buffer)
        self.intake = Intake(self.parameters, longest, self.check)
        self.buffer = bytearray(self.parameters.read_buffer)  # lent to whoever is being read
        self.view = memoryview(self.buffer)
        self.first = None  # connection number 0: by what acknowledgements are written
        self._acknowledging = False

    def counters(self):
        return {**self.intake.counters(), "open_connections": self.open_connections()}

    def buffered(self):
        return BufferedFanin(self)

    def plain(self):
        return PlainFanin(self)

    def acknowledge(self):
        """In the push and the task form, whose transports queue."""
        if self.first is not None:
            self.first(ACKNOWLEDGEMENT * self.intake.take_due())

    async def pulled(self, connection):
        buffer = bytearray(self.parameters.read_buffer)
        view = memoryview(buffer)
        receive, intake = self.loop.sock_recv_into, self.intake
        with self._sender(connection) as sender:
            while count := await receive(connection, buffer):
                if not sender.receive(view[:count]):
                    return
                if intake.due and not self._acknowledging:
                    await self._send_acknowledgements()
            sender.end()

    async def streamed(self, reader, writer):
        size, intake = self.parameters.read_buffer, self.intake
        with self._sender(writer.write) as sender:
            while data := await reader.read(size):
                if not sender.receive(data):
                    return writer.transport.abort()
                if intake.due:
                    self.acknowledge()
            sender.end()

    @contextlib.contextmanager
    def _sender(self, way_back):
        def greeted(number):
            if number == 0:
                self.first = way_back

        sender = Sender(self.intake, greeted)
        try:
            yield sender
        finally:
            sender.gone()
            if self.first is way_back:
                self.first = None

    async def _send_acknowledgements(self):
        """In the pull form, where `first` is a socket."""
        self._acknowledging = True
        try:
            while self.intake.due and self.first is not None:
                await self.loop.sock_sendall(self.first, ACKNOWLEDGEMENT * self.intake.take_due())
        except OSError:
            self.first = None  # reading from it will say so
        finally:
            self._acknowledging = False


class PushFanin(PushConnection):
    __slots__ = ("sender", "take")

    def __init__(self, server):
        super().__init__(server)
        self.sender = Sender(server.intake, self.greeted)
        self.take = self.sender.receive

    def greeted(self, number):
        if number == 0:
            self.server.first = self.transport.write

    def connection_lost(self, error):
        if self.sender.number == 0:
            self.server.first = None
        self.sender.gone()
        self.sender = self.take = None
        super().connection_lost(error)

    def eof_received(self):
        self.sender.end()  # None has the transport closed, after what is queued


class BufferedFanin(PushFanin, asyncio.BufferedProtocol):
    __slots__ = ("buffer", "view")

    def __init__(self, server):
        super().__init__(server)
        self.buffer = server.buffer
        self.view = server.view

    def get_buffer(self, _size_hint):
        return self.buffer

    def buffer_updated(self, count):
        if not self.take(self.view[:count]):
            self.transport.abort()
        elif self.server.intake.due:
            self.server.acknowledge()


class PlainFanin(PushFanin, asyncio.Protocol):
    __slots__ = ()

    def data_received(self, data):
        if not self.take(data):
            self.transport.abort()
        elif self.server.intake.due:
            self.server.acknowledge()
