"""A SUT in Python that is killed in the middle of a run: the run says so, ends with 5, and leaves
nothing.

Usage: killed_test.py LOOPBENCH
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

NO_PATIENCE_S = 60


def child_named(pid, name):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    for child in children.read_text().split():
        try:
            if pathlib.Path(f"/proc/{child}/comm").read_text().startswith(name):
                return int(child)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return None


def slices_in(log):
    """The log goes when the run is over."""
    try:
        return log.read_text().count("\n") - 1  # the first line is the head
    except FileNotFoundError:
        return 0


def main():
    with tempfile.TemporaryDirectory() as directory:
        result = pathlib.Path(directory) / "result.json"
        log = pathlib.Path(f"{result}.slices.jsonl")
        command = [sys.argv[1], "run", "--loop=asyncio", "--workload=echo", "--connections=4",
                   "--placement=lockstep", "--budget=3600", "--precision=0", f"--json={result}"]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + NO_PATIENCE_S
        killed = set()
        # One that dies in the preparations counts as well as one in a slice; a run gives up when
        # too many have.
        while run.poll() is None and time.monotonic() < deadline:
            sut = child_named(run.pid, "loopbench-sut-a")
            if sut is not None and sut not in killed and slices_in(log) > 0:
                os.kill(sut, signal.SIGKILL)
                killed.add(sut)
        if run.poll() is None:
            run.kill()
            sys.exit(f"FAILED: still running after {NO_PATIENCE_S} s, "
                     f"with {len(killed)} SUTs killed")
        output, errors = run.communicate()
        if run.returncode != 5 or "asyncio: was killed by signal 9" not in errors:
            sys.exit(f"FAILED: exit code {run.returncode}\n{output}\n{errors}")
        print(f"{len(killed)} killed: exit code 5")


if __name__ == "__main__":
    main()
