"""What can go wrong, for whoever asked."""


class WorkloadError(Exception):
    """What was asked for cannot be done: what was tried and failed, and what would help."""

    def __init__(self, what, remedy):
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class MalformedMessage(Exception):
    """A line on the control channel that is no message. Nothing that follows can be trusted."""


class SelfCheck:
    """Keeps the first thing that a workload found wrong with its own result."""

    __slots__ = ("mistake",)

    def __init__(self):
        self.mistake = None

    def fail(self, what):
        if self.mistake is None:
            self.mistake = what
