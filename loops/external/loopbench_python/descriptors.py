"""How many descriptors this process may have."""

import os
import resource

from .errors import WorkloadError

# The listener, one to accept into, and what a library may open later.
RESERVE = 8


def raise_limit():
    """To as many as it may have without privileges."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def require(connections):
    # One of those listed is the listing's own.
    others = len(os.listdir("/proc/self/fd")) - 1 + RESERVE
    needed = connections + others
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        try:
            # Only a privileged process may raise the hard one, and not beyond fs.nr_open.
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))
        except (ValueError, OSError):
            remedy = (f"at most {max(0, soft - others)} connections would do; or raise the hard "
                      f"limit (ulimit -Hn) to {needed}")
            raise WorkloadError(f"parameter connections is {connections}, and this process may "
                                f"open only {soft} descriptors", remedy) from None
