"""The whole of a SUT: the control protocol on standard input and output."""

import asyncio
import fcntl
import gc
import os
import resource
import signal
import stat
import sys
import time
import traceback
from dataclasses import dataclass, field

from . import descriptors
from .cancel import Cancel
from .channel import ControlChannel
from .cooperative import Cooperative
from .description import describe
from .echo import Echo
from .errors import MalformedMessage, WorkloadError
from .fanin import Fanin
from .library import KEYS, LIBRARIES
from .messages import (answer, error_message, is_whole, member, parse_keys, parse_message,
                       parse_operations)
from .parameters import DEFAULT_POLL_INTERVAL, ParameterReader, poll_interval
from .pingpong import PingPong
from .server import SHORTAGES
from .timeout import Timeout
from .timers import Timers

SOCKET_WORKLOADS = {"echo": Echo, "fanin": Fanin}
WORKLOADS = {**SOCKET_WORKLOADS, "timers": Timers, "pingpong": PingPong, "cooperative": Cooperative,
             "cancel": Cancel, "timeout": Timeout}


@dataclass(frozen=True)
class Setup:
    """What a `setup` asks for."""

    workload: str
    keys: dict
    seed: int
    listen: str
    reader: ParameterReader = field(repr=False)
    library: object


def parse_setup(message, library):
    name = member(message, "workload", lambda value: isinstance(value, str), "a workload's name")
    if name not in WORKLOADS:
        raise WorkloadError(f"there is no workload '{name}'", " or ".join(WORKLOADS) + " would do")
    keys = parse_keys(message, library.name, KEYS)
    seed = listen = None
    if "seed" in message:
        seed = member(message, "seed", is_whole, "a whole number from 0 on")
    if "listen" in message:
        listen = member(message, "listen", lambda value: isinstance(value, str), "an address")
    params = {}
    if "params" in message:
        params = member(message, "params", lambda value: isinstance(value, dict),
                        "an object of parameters")
    return Setup(name, keys, 1 if seed is None else seed, listen or "", ParameterReader(params),
                 library)


class Session:
    """One loop with one workload, from `setup` to `quit`."""

    def __init__(self, control, library, message):
        setup = parse_setup(message, library)
        unavailable = library.availability()
        if unavailable is not None:
            raise WorkloadError(*unavailable)
        if setup.keys["gc"] == "off":
            gc.disable()
        self._control = control
        self._library = library
        self._control_turns = 0
        self._awaits_input = False
        self._loop = library.new_loop(setup.workload in SOCKET_WORKLOADS)
        asyncio.set_event_loop(self._loop)
        interval = poll_interval(setup.reader)
        self._workload = WORKLOADS[setup.workload](self._loop, setup)
        self._loop.set_exception_handler(self._report)
        if setup.listen and setup.workload in SOCKET_WORKLOADS:
            descriptors.require(self._workload.parameters.connections)
        make_watchable(control.source)
        address = self._workload.set_up()
        self._watch_input()
        deviations = self._workload.deviations()
        # asyncio polls before every pass; the default asks for nothing that it would miss.
        if interval not in (1, DEFAULT_POLL_INTERVAL):
            deviations.append("poll_interval")
        place = {} if address is None else {"address": address}
        control.send(answer("ready", deviations=deviations, **place))

    def serve(self):
        """Serves requests until `quit` or the end of input, then gives everything back."""
        while self._answer_all():
            self._awaits_input = True
            self._loop.run_forever()  # requests are answered outside: a slice runs the loop
        self._loop.remove_reader(self._control.source)
        self._workload.shut_down()

    def _watch_input(self):
        self._loop.add_reader(self._control.source, self._input_ready)

    def _input_ready(self):
        # uvloop may poll, and so call this, again before it stops, and keep a second stop, or this
        # call, for its next run, which may be a slice's.
        if self._awaits_input:
            self._awaits_input = False
            self._control_turns += 1
            self._loop.stop()

    def _answer_all(self):
        """Answers what has come. False when the session is over."""
        self._control.fill()
        while (line := self._control.next()) is not None:
            message = parse_message(line)
            if message["type"] == "quit":
                return False
            self._control.send(self._answer(message))
        return not self._control.ended()

    def _answer(self, message):
        try:
            if message["type"] == "mark":
                return self._mark()
            if message["type"] == "slice":
                return self._slice(parse_operations(message))
            raise WorkloadError(f"'{message['type']}' came after the setup",
                                "mark, slice or quit would do")
        except WorkloadError as error:
            return error_message(error.what, error.remedy)

    def _mark(self):
        self._check_result()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        turns = self._library.turns()
        counters = {"turns": None if turns is None else turns - self._control_turns,
                    "operations": 0, "reads": 0, "bytes": 0, "task_switches": 0,
                    "open_connections": 0, "steady_connections": 0,
                    **self._workload.counters(),
                    "cpu_ns": time.process_time_ns(), "voluntary_switches": usage.ru_nvcsw,
                    "involuntary_switches": usage.ru_nivcsw, "allocations": None}
        return answer("marked", counters=counters)

    def _slice(self, operations):
        """The input is not watched meanwhile, so that the loop has nothing but the workload to
        do."""
        self._loop.remove_reader(self._control.source)
        try:
            done = self._workload.slice(operations)
        finally:
            self._watch_input()
        self._check_result()
        return answer("done", **done)

    def _check_result(self):
        mistake = self._workload.check.mistake
        if mistake is not None:
            raise WorkloadError(f"the workload found its result wrong: {mistake}",
                                "this is a fault of the SUT, or of what the client sent")

    def _report(self, _loop, context):
        """An error that nobody handled, of which asyncio tells. A shortage of descriptors, after
        which it accepts again, is none."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in SHORTAGES:
            return
        if error is not None:
            traceback.print_exception(error, file=sys.stderr)
        self._workload.check.fail(f"{context['message']}: {error!r}")


def make_watchable(source):
    if stat.S_ISREG(os.fstat(source).st_mode):
        raise WorkloadError("standard input is a file, which no loop can watch",
                            "give the requests through a pipe: cat FILE | …")
    flags = fcntl.fcntl(source, fcntl.F_GETFL)
    fcntl.fcntl(source, fcntl.F_SETFL, flags | os.O_NONBLOCK)


def prepare_process():
    """Interrupts are left to the harness (Ctrl-C reaches the whole foreground group), a peer who is
    gone is an error and no signal, and as many descriptors as the process may have."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    descriptors.raise_limit()


def await_message(control):
    """The next message, waiting for it; None at the end."""
    while True:
        line = control.next()
        if line is not None:
            return parse_message(line)
        if control.ended():
            return None
        control.fill()


def await_setup(control, library):
    """Answers requests until a `setup` comes. None when the end came instead."""
    while (message := await_message(control)) is not None and message["type"] != "quit":
        if message["type"] == "setup":
            return message
        try:
            if message["type"] != "describe":
                raise WorkloadError(f"'{message['type']}' came before a setup",
                                    "describe, setup or quit would do")
            keys = parse_keys(message, library.name, KEYS)
            control.send(describe(library, keys, WORKLOADS))
        except WorkloadError as error:
            control.send(error_message(error.what, error.remedy))
    return None


def await_quit(control):
    """After a failure: answers with an error until `quit` or the end comes."""
    while (message := await_message(control)) is not None and message["type"] != "quit":
        control.send(error_message("the setup has failed", "quit, and start the program anew"))


def run_sut(name):
    """Gives the exit status: 0, or 2 for input that is no message."""
    prepare_process()
    library = LIBRARIES[name]()
    control = ControlChannel(0, 1)
    try:
        message = await_setup(control, library)
        if message is None:
            return 0
        try:
            session = Session(control, library, message)
        except WorkloadError as error:
            control.send(error_message(error.what, error.remedy))
            await_quit(control)
        else:
            session.serve()
        return 0
    except MalformedMessage as error:
        print(f"loopbench-sut-{name}: on standard input, {error}", file=sys.stderr)
        control.send(error_message(str(error), "one JSON object with a type on each line would do"))
        return 2
