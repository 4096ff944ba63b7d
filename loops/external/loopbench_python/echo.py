"""Echo: sends back what it receives, on any number of connections. At a client's end of file it
sends what is still queued, ends its own side, and closes. What comes back is checked by the
driver."""

import asyncio

from .server import PushConnection, Server


class Echo(Server):
    def __init__(self, loop, setup):
        super().__init__(loop, setup)
        self.buffer = bytearray(self.parameters.read_buffer)  # lent to whoever is being read
        self.reads = 0
        self.bytes = 0
        self.steady = 0

    def counters(self):
        # Echo knows no messages: those of the case are counted by their size.
        return {"operations": self.bytes // self.parameters.size, "reads": self.reads,
                "bytes": self.bytes, "open_connections": self.open_connections(),
                "steady_connections": self.steady}

    def buffered(self):
        return BufferedEcho(self)

    def plain(self):
        return PlainEcho(self)

    async def pulled(self, connection):
        buffer = bytearray(self.parameters.read_buffer)
        view = memoryview(buffer)
        receive, send = self.loop.sock_recv_into, self.loop.sock_sendall
        carried = 0
        try:
            while count := await receive(connection, buffer):
                self.reads += 1
                self.bytes += count
                if not carried:
                    self.steady += 1
                    carried = 1
                await send(connection, view[:count])
        finally:
            self.steady -= carried

    async def streamed(self, reader, writer):
        size = self.parameters.read_buffer
        carried = 0
        try:
            while data := await reader.read(size):
                self.reads += 1
                self.bytes += len(data)
                if not carried:
                    self.steady += 1
                    carried = 1
                writer.write(data)
                await writer.drain()
        finally:
            self.steady -= carried


class PushEcho(PushConnection):
    """A client that does not read its echo is not read from either."""

    __slots__ = ("write", "fresh", "ended")

    def __init__(self, server):
        super().__init__(server)
        self.write = None
        self.fresh = True
        self.ended = False

    def connection_made(self, transport):
        super().connection_made(transport)
        self.write = transport.write

    def connection_lost(self, error):
        self.server.steady -= not self.fresh
        self.write = None
        super().connection_lost(error)

    def eof_received(self):
        self.ended = True  # None has the transport closed, after what is queued

    def pause_writing(self):
        if not self.ended:
            self.transport.pause_reading()

    def resume_writing(self):
        if not self.ended:
            self.transport.resume_reading()

    def first_data(self):
        self.fresh = False
        self.server.steady += 1


class BufferedEcho(PushEcho, asyncio.BufferedProtocol):
    __slots__ = ("buffer",)

    def __init__(self, server):
        super().__init__(server)
        self.buffer = server.buffer

    def get_buffer(self, _size_hint):
        return self.buffer

    def buffer_updated(self, count):
        server = self.server
        server.reads += 1
        server.bytes += count
        if self.fresh:
            self.first_data()
        self.write(self.buffer[:count])  # a copy, since a transport may keep what it is given


class PlainEcho(PushEcho, asyncio.Protocol):
    __slots__ = ()

    def data_received(self, data):
        server = self.server
        server.reads += 1
        server.bytes += len(data)
        if self.fresh:
            self.first_data()
        self.write(data)
