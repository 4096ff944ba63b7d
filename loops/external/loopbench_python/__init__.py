"""A system under test on CPython: the control protocol (docs/protocol.md) and the workloads in
asyncio's own idiom, once for every event loop that asyncio can be given."""
