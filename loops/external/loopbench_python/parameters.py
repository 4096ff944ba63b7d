"""The typed parameters of the workloads."""

import json
from dataclasses import dataclass

from .errors import WorkloadError
from .messages import is_whole

MOST_CONNECTIONS = 1_000_000
MOST_BYTES = 1 << 30
DEFAULT_POLL_INTERVAL = 61


def reject(name, value, what_would_do):
    raise WorkloadError(f"parameter {name} is {value}", f"{what_would_do} would do")


class ParameterReader:
    """Reads the `params` of a `setup`. One that is missing has its default, one that nobody asks
    for is ignored."""

    def __init__(self, params):
        self._params = params

    def number(self, name, preset, least, most):
        value = self._params.get(name, preset)
        if not is_whole(value) or not least <= value <= most:
            reject(name, json.dumps(value), f"a whole number from {least} to {most}")
        return value

    def flag(self, name, preset):
        value = self._params.get(name, preset)
        if not isinstance(value, bool):
            reject(name, json.dumps(value), "true or false")
        return value

    def text(self, name, preset):
        value = self._params.get(name, preset)
        if not isinstance(value, str):
            reject(name, json.dumps(value), "a text")
        return value

    def choice(self, name, choices):
        value = self.text(name, choices[0])
        if value not in choices:
            reject(name, json.dumps(value), " or ".join(choices))
        return value


@dataclass(frozen=True)
class SocketParameters:
    connections: int
    active: int
    size: int
    stream: int
    api: str
    read_buffer: int
    backlog: int
    no_delay: bool
    send_buffer: int
    receive_buffer: int


def read_buffer(reader):
    return reader.number("read_buffer", 64 * 1024, 1, MOST_BYTES)


def poll_interval(reader):
    return reader.number("poll_interval", DEFAULT_POLL_INTERVAL, 1, 1_000_000_000)


def socket_parameters(reader):
    connections = reader.number("connections", 64, 1, MOST_CONNECTIONS)
    return SocketParameters(
        connections=connections,
        active=reader.number("active", connections, 1, connections),
        size=reader.number("size", 64, 1, MOST_BYTES),
        stream=reader.number("stream", 0, 0, MOST_BYTES),
        api=reader.choice("api", ("push", "pull", "task")),
        read_buffer=read_buffer(reader),
        backlog=reader.number("backlog", 4096, 1, MOST_CONNECTIONS),
        no_delay=reader.flag("no_delay", True),
        send_buffer=reader.number("send_buffer", 0, 0, MOST_BYTES),
        receive_buffer=reader.number("receive_buffer", 0, 0, MOST_BYTES))
