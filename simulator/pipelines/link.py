"""Links between devices."""

from dataclasses import dataclass

from workloads.foundation.errors import InputError


@dataclass(frozen=True, slots=True)
class Link:
    """One link in each direction between any two devices; free by default, as in the paper.

    Attributes
    ----------
    bytes_per_second : int or None
        Bandwidth; None for endless.
    latency_ns : int
        From the end of sending to arrival.
    """

    bytes_per_second: int | None = None
    latency_ns: int = 0

    def __post_init__(self) -> None:
        if self.bytes_per_second is not None and self.bytes_per_second < 1:
            raise InputError("--link-bandwidth", "", f"is {self.bytes_per_second}", "give at least 1 byte a second")
        if not 0 <= self.latency_ns <= 10**12:
            raise InputError("--link-latency", "", f"is {self.latency_ns}", "give 0 to 10^12 nanoseconds")

    def message_cycles(self, sent_bytes: int, frequency_hz: int) -> int:
        """Return the cycles for which a message holds the link."""
        return 0 if self.bytes_per_second is None else -(-sent_bytes * frequency_hz // self.bytes_per_second)

    def latency_cycles(self, frequency_hz: int) -> int:
        """Return the cycles from the end of a message to its arrival."""
        return -(-self.latency_ns * frequency_hz // 1_000_000_000)

    def reduce_cycles(self, summed_bytes: int, replicas: int, frequency_hz: int) -> int:
        """Return the cycles of a sum over replicas: a ring all-reduce, 2 (r - 1) messages of an r-th each.

        It has links of its own: messages of the pipeline do not wait for it.
        """
        part = -(-summed_bytes // replicas)
        return 2 * (replicas - 1) * (self.message_cycles(part, frequency_hz) + self.latency_cycles(frequency_hz))
