"""What the socket workloads share: a listener, its connections in the three forms, and their
end."""

import asyncio
import contextlib
import errno
import os
import socket

from .address import apply_options, format_address, open_listener, parse_address
from .parameters import socket_parameters
from .workload import Workload

# How long to wait after a shortage before accepting again: nothing tells when it is over.
SHORTAGE_PAUSE_S = 0.1
SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Server(Workload):
    """Accepts whoever comes. What happens to the bytes is the derived class's matter, which gives
     - buffered() and plain(): a protocol for the push form, derived from `PushConnection`;
     - pulled(socket) and streamed(reader, writer): coroutines that serve one connection
       to its end."""

    def __init__(self, loop, setup):
        super().__init__(loop)
        self.parameters = socket_parameters(setup.reader)
        self.is_plain = setup.keys["protocol"] == "plain"
        self.library_buffer = setup.library.own_read_buffer
        self._address = setup.listen
        self._listener = None
        self._server = None
        self._accepting = None
        self._ends = {}  # of every open connection, what ends it
        self._empty = None

    def deviations(self):
        # Streams are made of plain protocols, so that there, too, the library chooses.
        api = self.parameters.api
        by_library = api == "task" or (api == "push" and self.is_plain)
        if by_library and self.parameters.read_buffer != self.library_buffer:
            return ["read_buffer"]
        return []

    def set_up(self):
        parse_address(self._address)
        self._listener = open_listener(self._address, self.parameters)
        address = format_address(self._listener)
        is_unix = self._listener.family == socket.AF_UNIX
        # TCP connections inherit what the listener has, but the libraries then set TCP_NODELAY.
        self._adjusts = is_unix or not self.parameters.no_delay
        self._path = self._listener.getsockname() if is_unix else None
        if self.parameters.api == "pull":
            self._accepting = self.loop.create_task(self._accept())
        else:
            self._server = self.loop.run_until_complete(self._start(is_unix))
        return address

    def open_connections(self):
        return len(self._ends)

    def opened(self, connection, its_socket, end):
        if self._adjusts:
            apply_options(self.parameters, its_socket)
        self._ends[connection] = end

    def closed(self, connection):
        self._ends.pop(connection, None)
        if self._empty is not None and not self._ends and not self._empty.done():
            self._empty.set_result(None)

    def shut_down(self):
        self.loop.run_until_complete(self._shut_down())
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    async def _start(self, is_unix):
        options = {"sock": self._listener, "backlog": self.parameters.backlog}
        if self.parameters.api == "task":
            start = asyncio.start_unix_server if is_unix else asyncio.start_server
            return await start(self._stream, limit=self.parameters.read_buffer, **options)
        create = self.loop.create_unix_server if is_unix else self.loop.create_server
        return await create(self.plain if self.is_plain else self.buffered, **options)

    async def _stream(self, reader, writer):
        self.opened(writer, writer.get_extra_info("socket"), writer.transport.abort)
        try:
            await self.streamed(reader, writer)
        except OSError:
            pass  # a client that is gone is no mistake of ours
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        self.closed(writer)

    async def _accept(self):
        while True:
            try:
                connection, _ = await self.loop.sock_accept(self._listener)
            except OSError as error:
                if error.errno in SHORTAGES:
                    await asyncio.sleep(SHORTAGE_PAUSE_S)
                elif error.errno != errno.ECONNABORTED:
                    self.check.fail(f"accept failed: {error}")
                    return
                continue
            task = self.loop.create_task(self._pull(connection))
            self.opened(connection, connection, task.cancel)

    async def _pull(self, connection):
        try:
            await self.pulled(connection)
            connection.shutdown(socket.SHUT_WR)
        except (OSError, asyncio.CancelledError):
            pass
        self.closed(connection)
        connection.close()

    async def _shut_down(self):
        if self._server is not None:
            self._server.close()
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
            self._listener.close()
        self._empty = self.loop.create_future()
        for end in list(self._ends.values()):
            end()
        if self._ends:
            await self._empty


class PushConnection:
    """A connection of the push form; to be combined with one of asyncio's protocol classes."""

    __slots__ = ("server", "transport")

    def __init__(self, server):
        self.server = server
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        self.server.opened(self, transport.get_extra_info("socket"), transport.abort)

    def connection_lost(self, _error):
        self.server.closed(self)

    def pause_writing(self):
        pass

    def resume_writing(self):
        pass
