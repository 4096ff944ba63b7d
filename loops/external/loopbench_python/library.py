"""The event loops that asyncio can be given, and what is to be said of each."""

import asyncio
import platform
import selectors
import sys

UVLOOP_REMEDY = "install it for /usr/bin/python3: apt-get install python3-uvloop"

KEYS = {
    "gc": (["default", "off"], "the collector of cycles: as CPython starts it, or disabled"),
    "protocol": (["buffered", "plain"],
                 "what push reads by: asyncio.BufferedProtocol into a buffer of read_buffer bytes, "
                 "or asyncio.Protocol with the library's own buffer"),
}


class CountingSelector(selectors.EpollSelector):
    """The default selector, which counts its polls. That adds 0.1 to 0.2 µs to a turn."""

    turns = 0

    def select(self, timeout=None, _select=selectors.EpollSelector.select):
        self.turns += 1
        return _select(self, timeout)


class Asyncio:
    name = "asyncio"
    library = "CPython asyncio"
    own_read_buffer = 256 * 1024  # _SelectorTransport.max_size
    timer_resolution_ns = 1
    notes = {
        "write": "transport.write of a copy of what was read: send(2) at once, the rest when the "
                 "socket takes it",
        "timers": "call_at and call_later on a heap of float seconds; what is due up to the "
                  "clock's resolution of 1 ns later runs as well; the selector rounds a sleep up "
                  "to whole milliseconds; cancelled handles stay in the heap until they are many",
        "memory": "asyncio.Protocol and streams read by recv(262144), for which CPython makes an "
                  "object of that size and shrinks it: unless the program has freed a larger block "
                  "before, malloc maps and unmaps memory at every read, which costs three "
                  "system calls",
        "turn": "counted with sockets only, by a selector class that adds 0.1 to 0.2 µs to a turn: "
                "in process a turn is too short for that",
    }

    def __init__(self):
        self._selector = None

    def version(self):
        return platform.python_version()

    def availability(self):
        """What is missing and what would help; None when nothing is."""
        if sys.version_info < (3, 11):
            return (f"/usr/bin/python3 is Python {platform.python_version()}, "
                    "without asyncio.timeout",
                    "have Python 3.11 or newer as /usr/bin/python3")
        return None

    def new_loop(self, counts_turns):
        if not counts_turns:
            return asyncio.new_event_loop()
        self._selector = CountingSelector()
        return asyncio.SelectorEventLoop(self._selector)

    def turns(self):
        """None when they are not counted."""
        return None if self._selector is None else self._selector.turns


class Uvloop(Asyncio):
    name = "uvloop"
    library = "uvloop"
    own_read_buffer = 256_000  # UV_STREAM_RECV_BUF_SIZE
    timer_resolution_ns = 1_000_000
    notes = {
        "write": "transport.write of a copy of what was read, because uvloop may keep it until the "
                 "end of the turn",
        "timers": "call_at and call_later on uv_timer_t: a delay is rounded to the nearest "
                  "millisecond and counts from a clock of whole milliseconds that is read once a "
                  "turn, so that a timer may fire up to 1.5 ms before the wanted moment; lateness "
                  "counts from TimerHandle.when(), the deadline as uvloop keeps it",
        "turn": "not counted: uvloop has no hook in a turn that would be free",
    }

    def version(self):
        try:
            import uvloop
            import uvloop.loop
        except ImportError:
            return "missing"
        number = uvloop.loop.libuv_get_version()
        libuv = f"{number >> 16}.{number >> 8 & 255}.{number & 255}"
        return f"{uvloop.__version__} (libuv {libuv}, CPython {platform.python_version()})"

    def availability(self):
        try:
            import uvloop  # noqa: F401
        except ImportError as error:
            return f"uvloop cannot be imported: {error}", UVLOOP_REMEDY
        return super().availability()

    def new_loop(self, counts_turns):
        import uvloop
        return uvloop.new_event_loop()


LIBRARIES = {each.name: each for each in (Asyncio, Uvloop)}
