"""What is particular to the SUTs in Python; where they do what the others do, they run in those
tests (tests/workloads).

Usage: sut_test.py DIRECTORY, where the SUTs are.
"""

import ctypes
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from sut import Sut

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
NAMES = ("asyncio", "uvloop")


def start(name):
    return Sut(BIN / f"loopbench-sut-{name}")


def why_unavailable(name):
    with start(name) as sut:
        return sut.ask("describe", keys={}).get("reason")


def connect(address):
    if address.startswith("unix:"):
        client = socket.socket(socket.AF_UNIX)
        client.connect(address[5:])
        return client
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)))


def sockets_of(pid):
    """Copies of a process's sockets, by pidfd_getfd(2)."""
    process = os.pidfd_open(pid)
    for number in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
            copy = ctypes.CDLL(None, use_errno=True).syscall(438, process, int(number), 0)
            if copy < 0:
                raise unittest.SkipTest("pidfd_getfd: " + os.strerror(ctypes.get_errno()))
            yield socket.socket(fileno=copy)
    os.close(process)


class OverNames(unittest.TestCase):
    def over_names(self):
        for name in NAMES:
            with self.subTest(name):
                reason = why_unavailable(name)
                if reason:
                    self.skipTest(reason)
                yield name


class Describing(OverNames):
    def test_tells_the_collector_and_the_protocol_of_its_keys(self):
        for name in self.over_names():
            with start(name) as sut:
                plain = sut.ask("describe", keys={"gc": "off", "protocol": "plain"})["fairness"]
                self.assertEqual(plain["collector"], "off")
                self.assertIn("asyncio.Protocol;", plain["push"])
                preset = sut.ask("describe", keys={})["fairness"]
                self.assertEqual(preset["collector"], "on, thresholds 700/10/10")
                self.assertIn("BufferedProtocol", preset["push"])
                wrong = sut.ask("describe", keys={"gc": "on"})
                self.assertEqual((wrong["type"], wrong["remedy"]),
                                 ("error", "default or off would do"))

    def test_says_what_is_missing_when_uvloop_is(self):
        # The script itself, in an interpreter that has no uvloop to find.
        blocked = ("import runpy, sys; sys.modules['uvloop'] = None; "
                   "runpy.run_path(sys.argv[1], run_name='__main__')")
        program = BIN / "loopbench-sut-uvloop"
        with Sut("/usr/bin/python3", "-I", "-c", blocked, program) as sut:
            description = sut.ask("describe", keys={})
            self.assertIs(description["available"], False)
            self.assertIn("uvloop cannot be imported", description["reason"])
            self.assertIn("apt-get install python3-uvloop", description["remedy"])
            answer = sut.set_up("pingpong")
            self.assertEqual(answer["type"], "error")
            self.assertIn("python3-uvloop", answer["remedy"])


class SettingUp(OverNames):
    def deviations(self, name, *arguments, **keywords):
        with start(name) as sut:
            return sut.set_up(*arguments, **keywords)["deviations"]

    def test_names_what_it_cannot_apply(self):
        own = {"asyncio": 262144, "uvloop": 256000}
        here = "127.0.0.1:0"
        for name in self.over_names():
            self.assertEqual(self.deviations(name, "echo", listen=here), [])
            plain = {"protocol": "plain"}
            self.assertEqual(self.deviations(name, "echo", plain, here), ["read_buffer"])
            self.assertEqual(
                self.deviations(name, "echo", plain, here, read_buffer=own[name]), [])
            self.assertEqual(
                self.deviations(name, "fanin", listen=here, api="task"), ["read_buffer"])
            for interval, named in ((1, []), (61, []), (2, ["poll_interval"])):
                self.assertEqual(self.deviations(name, "pingpong", poll_interval=interval), named)

    def test_refuses_standard_input_that_it_cannot_watch(self):
        for name in self.over_names():
            with tempfile.TemporaryFile() as requests:
                requests.write(b'{"type": "setup", "workload": "pingpong"}\n')
                requests.seek(0)
                answer = subprocess.run([BIN / f"loopbench-sut-{name}"], stdin=requests,
                                        stdout=subprocess.PIPE, check=True).stdout
                self.assertIn(b"through a pipe", answer)

    def test_moves_a_stale_socket_away_and_no_other(self):
        for name in self.over_names():
            with tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, "s")
                with socket.socket(socket.AF_UNIX) as dead:
                    dead.bind(path)
                with start(name) as sut, start(name) as second:
                    address = "unix:" + path
                    self.assertEqual(sut.set_up("echo", listen=address)["address"], address)
                    connect(address).close()
                    self.assertIn("in use", second.set_up("echo", listen=address)["what"])
                self.assertFalse(os.path.exists(path))

    def test_applies_the_options_of_sockets(self):
        wanted = {"send_buffer": 10_000, "receive_buffer": 20_000, "no_delay": False}
        for name in self.over_names():
            for api in ("push", "pull", "task"):
                for keys in ({}, {"protocol": "plain"}):
                    with tempfile.TemporaryDirectory() as directory:
                        for listen in ("127.0.0.1:0", f"unix:{directory}/s"):
                            with start(name) as sut:
                                ready = sut.set_up("echo", keys, listen, api=api, **wanted)
                                with connect(ready["address"]) as client:
                                    client.sendall(b"x")
                                    self.assertEqual(client.recv(1), b"x")
                                    self.check_options(sut.process.pid)

    def check_options(self, pid):
        connections = 0
        for each in sockets_of(pid):
            with each:
                if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    continue
                sizes = [each.getsockopt(socket.SOL_SOCKET, option)
                         for option in (socket.SO_SNDBUF, socket.SO_RCVBUF)]
                if sizes != [20_000, 40_000]:  # the kernel doubles them
                    continue  # a pair of the loop's own
                connections += 1
                if each.family == socket.AF_INET:
                    self.assertFalse(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self.assertEqual(connections, 1)


class Echoing(OverNames):
    def test_plain_protocols_echo_and_end(self):
        for name in self.over_names():
            with start(name) as sut:
                address = sut.set_up("echo", {"protocol": "plain"}, "127.0.0.1:0",
                                     size=100)["address"]
                with connect(address) as client:
                    client.sendall(bytes(range(100)))
                    self.assertEqual(client.recv(100, socket.MSG_WAITALL), bytes(range(100)))
                    counters = sut.ask("mark")["counters"]
                    self.assertEqual((counters["operations"], counters["steady_connections"]),
                                     (1, 1))
                    client.shutdown(socket.SHUT_WR)
                    self.assertEqual(client.recv(1), b"")

    def test_what_is_queued_arrives_after_the_end_at_a_slow_reader(self):
        size = 1_000_000
        for name in self.over_names():
            for api in ("push", "pull", "task"):
                with tempfile.TemporaryDirectory() as directory, start(name) as sut:
                    address = "unix:" + os.path.join(directory, "s")
                    sut.set_up("echo", listen=address, api=api, send_buffer=4096)
                    with connect(address) as client:
                        message = os.urandom(size)
                        received = bytearray()
                        client.setblocking(False)
                        sent = 0
                        while sent < size:
                            try:
                                sent += client.send(message[sent:sent + 50_000])
                            except BlockingIOError:
                                try:
                                    received += client.recv(1000)  # a little at a time
                                except BlockingIOError:
                                    pass
                        client.setblocking(True)
                        client.shutdown(socket.SHUT_WR)
                        while piece := client.recv(1 << 16):
                            received += piece
                        self.assertTrue(received == message, f"{name} {api}: {len(received)}")


class FindingWrongBytes(OverNames):
    def test_in_plain_protocols(self):
        for name in self.over_names():
            with start(name) as sut:
                address = sut.set_up("fanin", {"protocol": "plain"}, "127.0.0.1:0",
                                     connections=1)["address"]
                with connect(address) as client:
                    client.sendall(bytes(4) + b"this is not the pattern")
                    try:
                        self.assertEqual(client.recv(1), b"")
                    except ConnectionResetError:
                        pass
                    self.assertIn("not its pattern", sut.ask("mark")["what"])


class InProcess(OverNames):
    def slices(self, workload, params, operations):
        for name in self.over_names():
            with start(name) as sut:
                self.assertEqual(sut.set_up(workload, **params)["type"], "ready")
                done = 0
                for wanted in operations:
                    answer = sut.ask("slice", operations=wanted)
                    self.assertEqual(answer["type"], "done", answer)
                    self.assertGreaterEqual(answer["operations"], wanted)
                    done += answer["operations"]
                    yield wanted, answer
                self.assertEqual(sut.ask("mark")["counters"]["operations"], done)

    def test_who_spins_delays_what_is_due(self):
        for wanted, answer in self.slices("cooperative", {"spin_us": 2000, "await_every_us": 0},
                                          (1, 5)):
            self.assertEqual(answer["operations"], wanted)
            self.assertGreaterEqual(answer["metrics"]["timer_delay_per_spin"], 1)
            self.assertGreaterEqual(answer["metrics"]["echo_delay_per_spin"], 1)

    def test_who_gives_way_is_served_meanwhile(self):
        params = {"spin_us": 200_000, "await_every_us": 500}
        for _, answer in self.slices("cooperative", params, (1,)):
            self.assertGreater(answer["metrics"]["timer_delay_per_spin"], 0)
            self.assertLess(answer["metrics"]["echo_delay_per_spin"], 1)

    def test_cancelling_is_delivered_in_the_next_pass(self):
        for wait in ("event", "sleep", "read"):
            for wanted, answer in self.slices("cancel", {"wait": wait}, (1, 50)):
                self.assertEqual(answer["operations"], wanted)
                self.assertEqual(answer["metrics"], {"turns_to_cancel": 1, "next_turn_share": 1})

    def test_a_timeout_cancels_the_inner_task_first(self):
        for _, answer in self.slices("timeout", {"tasks": 10, "outcome": "expires"}, (1, 25)):
            self.assertEqual(answer["operations"] % 10, 0)
            self.assertEqual(answer["metrics"], {"cancelled_first_share": 1})

    def test_a_timeout_that_is_met_gives_the_result(self):
        for wanted, answer in self.slices("timeout", {"tasks": 7, "outcome": "met"}, (7, 15)):
            self.assertEqual(answer["operations"], -(-wanted // 7) * 7)
            self.assertEqual(answer["metrics"], {})


if __name__ == "__main__":
    unittest.main()
