"""What the session needs of a workload."""

from .errors import SelfCheck, WorkloadError


class Workload:
    """One workload on one loop. Every call is made while the loop does not run, and those that need
    it run it themselves."""

    def __init__(self, loop):
        self.loop = loop
        self.check = SelfCheck()

    def set_up(self):
        """Gets ready to work. Gives the address where a socket workload listens."""
        return None

    def deviations(self):
        """The parameters that cannot be applied."""
        return []

    def counters(self):
        """What was counted so far, by the names of `mark`; what is missing is 0."""
        return {}

    def slice(self, operations):
        """Does so many operations, rounded up to the workload's unit; gives the members of
        `done`."""
        raise WorkloadError("a slice was asked of a workload that the driver drives",
                            "send the slice to the driver")

    def shut_down(self):
        """Gives everything back that needs the loop to run for that. Called once, last."""
