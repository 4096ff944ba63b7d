"""The answer to `describe`."""

import gc
import platform
import sys

from .library import KEYS
from .messages import answer

OPERATIONS = ("post", "timer", "watch", "listen", "push", "pull", "task", "event", "cancel",
              "timeout")


def describe(library, keys, workloads):
    unavailable = library.availability()
    problem = {}
    if unavailable is not None:
        problem = {"reason": unavailable[0], "remedy": unavailable[1]}
    return answer(
        "description", protocol=1, name=library.name, kind="reference", library=library.library,
        version=library.version(), available=unavailable is None, **problem, build=build(),
        operations=dict.fromkeys(OPERATIONS, "native"), fairness=fairness(library, keys),
        capabilities={"equal_deadlines_in_order": False, "settable_poll_interval": False,
                      "descriptor_limit": None, "turn_limit": None},
        workloads=list(workloads),
        keys=[{"key": key, "values": values, "meaning": meaning}
              for key, (values, meaning) in KEYS.items()])


def build():
    """Of CPython itself."""
    import sysconfig
    return {"compiler": platform.python_compiler(),
            "flags": sysconfig.get_config_var("PY_CFLAGS") or "",
            "assertions": hasattr(sys, "gettotalrefcount"),
            "sanitizers": ""}


def fairness(library, keys):
    return {
        "python": platform.python_version(),
        "collector": "off" if keys["gc"] == "off" else
                     "on, thresholds " + "/".join(str(each) for each in gc.get_threshold()),
        "push": "asyncio.BufferedProtocol with one buffer of read_buffer bytes for all connections"
                if keys["protocol"] == "buffered" else
                f"asyncio.Protocol; the library reads up to {library.own_read_buffer} bytes",
        "pull": "sock_accept, sock_recv_into with a bytearray for each connection, sock_sendall",
        "task": "asyncio.start_server and streams with limit=read_buffer; the library reads up to "
                f"{library.own_read_buffer} bytes",
        "cancelling": "a CancelledError that is thrown and caught, in cancel as in cancel-throw",
        "no_delay": "set by the library on every TCP transport; unset where the case does not "
                    "want it",
        "storm": "restart is cancel and call_later; the near deadlines of a round begin later than "
                 "in C++, after all of them have been started; 1 in 8 deadlines is read back",
        "poll_interval": 1,
        "read_buffer": 64 * 1024,
        "timer_resolution_ns": library.timer_resolution_ns,
        **library.notes,
    }
