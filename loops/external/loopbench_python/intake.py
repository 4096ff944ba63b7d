"""What a fan-in has received, and the check that it is what the senders have to say."""

PERIOD = 251
PATTERN = bytes((index * 167 + 13) % PERIOD for index in range(PERIOD))
HELLO_BYTES = 4


class Intake:
    """Of all connections together, and when an acknowledgement is due."""

    __slots__ = ("matches", "longest", "check", "size", "connections", "by_bytes", "round",
                 "unacknowledged", "due", "reads", "bytes", "messages", "steady", "seen")

    def __init__(self, parameters, longest, check):
        # One comparison checks up to `longest` bytes, whatever their place in the period, and
        # copies none of them.
        self.matches = (PATTERN * (longest // PERIOD + 2)).startswith
        self.longest = longest
        self.check = check
        self.size = parameters.size
        self.connections = parameters.connections
        self.by_bytes = parameters.stream != 0
        self.round = parameters.active * (parameters.stream or 1)  # in bytes or in messages
        self.unacknowledged = 0
        self.due = 0  # acknowledgements
        self.reads = 0
        self.bytes = 0
        self.messages = 0
        self.steady = 0
        self.seen = set()  # connection numbers

    def counters(self):
        return {"operations": self.messages, "reads": self.reads, "bytes": self.bytes,
                "steady_connections": self.steady}

    def take_due(self):
        due, self.due = self.due, 0
        return due


class Sender:
    """One sender as its receiver sees it: says its number, then sends messages of its pattern.
    `greeted` is called with the number."""

    __slots__ = ("intake", "greeted", "hello", "number", "position", "partial", "fresh")

    def __init__(self, intake, greeted):
        self.intake = intake
        self.greeted = greeted
        self.hello = b""
        self.number = None
        self.position = 0  # in the pattern's period
        self.partial = 0  # bytes of the message that has begun
        self.fresh = True

    def receive(self, data):
        """Takes one delivery. False when it is wrong: there is nothing more to say then."""
        if self.number is None:
            data = self._receive_hello(data)
            if not data:
                return data is not None
        intake = self.intake
        count = len(data)
        position = self.position
        if not intake.matches(data, position):
            return self._wrong_bytes()
        intake.reads += 1
        intake.bytes += count
        self.position = (position + count) % PERIOD
        partial = self.partial + count
        if partial == intake.size:  # the common case, without a division
            messages = 1
            partial = 0
        else:
            messages, partial = divmod(partial, intake.size)
        self.partial = partial
        intake.messages += messages
        unacknowledged = intake.unacknowledged + (count if intake.by_bytes else messages)
        if unacknowledged >= intake.round:
            due, unacknowledged = divmod(unacknowledged, intake.round)
            intake.due += due
        intake.unacknowledged = unacknowledged
        if self.fresh:
            self.fresh = False
            intake.steady += 1
        return True

    def end(self):
        """The peer has sent its last byte; it must have been the last one of a message."""
        if self.number is None:
            self.intake.check.fail("a connection ended before it had said its number")
        elif self.partial:
            self.intake.check.fail(f"connection {self.number} ended after {self.partial} of the "
                                   f"{self.intake.size} bytes of a message")
        else:
            self.intake.seen.discard(self.number)  # whoever comes next may use it

    def gone(self):
        self.intake.steady -= not self.fresh

    def _receive_hello(self, data):
        """The rest of the data; None when the hello is wrong."""
        missing = HELLO_BYTES - len(self.hello)
        self.hello += bytes(data[:missing])
        if len(self.hello) < HELLO_BYTES:
            return b""
        number = int.from_bytes(self.hello, "little")
        intake = self.intake
        if number >= intake.connections:
            intake.check.fail(f"a connection says that its number is {number}, of "
                              f"{intake.connections} connections")
            return None
        if number in intake.seen:
            intake.check.fail(f"two connections say that their number is {number}")
            return None
        intake.seen.add(number)
        self.number = number
        self.position = number % PERIOD
        self.greeted(number)
        return data[missing:]

    def _wrong_bytes(self):
        self.intake.check.fail(
            f"connection {self.number} received bytes that are not its pattern, within the "
            f"{self.intake.longest} bytes or fewer after byte {self.intake.bytes} of all")
        return False
