"""The log-linear histogram whose geometry results/histogram.hpp defines."""

SUB_BITS = 7


class Histogram:
    """Keeps the values as they come and puts them into buckets when asked: recording is an append,
    so that it does not show in what is measured."""

    __slots__ = ("values",)

    def __init__(self):
        self.values = []

    def to_json(self):
        counts = {}
        for value in self.values:
            shift = max(0, value.bit_length() - SUB_BITS - 1)
            bucket = (shift << SUB_BITS) + (value >> shift)
            counts[bucket] = counts.get(bucket, 0) + 1
        return {"sub_bits": SUB_BITS, "counts": sorted(counts.items()),
                "min": min(self.values), "max": max(self.values)}
