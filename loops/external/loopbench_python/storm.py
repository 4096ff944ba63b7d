"""The parameters of the timer storm; workloads/storm.hpp says what it consists of."""

import math
from dataclasses import dataclass

from .parameters import reject

HEAVIEST = 1000
# Enough events that reading the CPU clock between the phases of a round does not show.
MOST_EVENTS = 24 * 1024


@dataclass(frozen=True)
class Storm:
    pending: int
    restarts: int  # a round
    cancels: int  # a round
    expiries: int  # a round

    @property
    def starts(self):
        return self.restarts + self.cancels + self.expiries

    @property
    def handlings(self):
        """Operations of a round."""
        return self.starts + self.cancels + self.expiries

    @property
    def spread_s(self):
        """Over how long the deadlines of a round spread: shorter than it takes to expire them."""
        return 10e-6 + 20e-9 * self.expiries


def parse_mix(text):
    """The three weights, without common divisor."""
    parts = text.split(":")
    weights = [int(part) for part in parts if part.isascii() and part.isdigit()]
    if len(parts) != 3 or len(weights) != 3 or max(weights) > HEAVIEST or not any(weights):
        reject("mix", f'"{text}"',
               f"start:cancel:expire, such as 1:1:1, each from 0 to {HEAVIEST} and not all 0")
    divisor = math.gcd(*weights)
    return [weight // divisor for weight in weights]


def storm_parameters(reader):
    mix = reader.text("mix", "1:1:1")
    start, cancel, expire = parse_mix(mix)
    weight = start + cancel + expire
    pending = reader.number("pending", 100_000, 1, 100_000_000)
    # A round touches a quarter of the timers at the most: the others are the load.
    if pending // 4 < weight:
        reject("pending", pending, f"at least {4 * weight} with mix {mix}")
    times = max(1, min(pending // 4, MOST_EVENTS) // weight)
    return Storm(pending, start * times, cancel * times, expire * times)
