"""The two ends of the control protocol: lines in, lines out."""

import os
import select

from .errors import MalformedMessage

LONGEST_LINE = 16 << 20
PIECE = 64 * 1024


class ControlChannel:
    def __init__(self, source, sink):
        self.source = source
        self._sink = sink
        self._received = bytearray()
        self._at_end = False

    def fill(self):
        """Reads once what is there; waits for it if the input blocks."""
        if len(self._received) > LONGEST_LINE:
            raise MalformedMessage("a line is longer than 16 MiB")
        try:
            piece = os.read(self.source, PIECE)
        except BlockingIOError:
            return
        self._received += piece
        self._at_end = not piece

    def next(self):
        """The next line that has arrived as a whole, without its end; None without one. A last line
        that the input ends without is one, too."""
        line, end, rest = self._received.partition(b"\n")
        if not end and not (self._at_end and line):
            return None
        self._received = rest
        return bytes(line)

    def ended(self):
        return self._at_end and not self._received

    def send(self, line):
        """Writes a line. A reader who is gone is no error: the input then ends as well."""
        rest = memoryview(line.encode("utf-8", "replace") + b"\n")
        while rest:
            try:
                rest = rest[os.write(self._sink, rest):]
            except BlockingIOError:
                # Input and output may be one open file, which has been made non-blocking.
                select.select([], [self._sink], [])
            except BrokenPipeError:
                return
