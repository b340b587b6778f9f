"""What mcpwall must reach, as data: one line per figure."""

from dataclasses import dataclass

from benchmarks.figures import Figures


@dataclass(frozen=True)
class Target:
    """A bound for one figure: at most, or (`floor`) at least."""

    what: str
    bound: float
    unit: str = ""
    floor: bool = False

    def met(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value >= self.bound if self.floor else value <= self.bound

    def sentence(self, value: float) -> str:
        """The target, the value and how they compare, for one line of a list."""
        word = "at least" if self.floor else "at most"
        mark = "✓" if self.met(value) else "✗"
        return f"{mark} {self.what}: {value:,.3g} {self.unit} ({word} {self.bound:,g})"


SESSIONS = 50

ADDED = Target("median added latency of a call", 60, "µs")
SHARE = Target("added latency as a share of the bare relay's", 0.5)
PER_SECOND = Target("calls a second, 64 in flight", 15_000, floor=True)
BLOB = Target("1 MiB result, times direct", 3)
START = Target("start over direct", 40, "ms")
ANSWERED = Target("sessions that answer", SESSIONS, floor=True)
ENGINE = Target("engine's memory, 50 sessions", 60, "MiB")
HTTP_ADDED = Target("median added latency in front of an HTTP server", 350, "µs")
HTTP_TIMES_LESS = Target("times less than the nearest other proxy adds", 3, floor=True)
SHIM = Target("shim's memory", 12, "MiB")


def checked(wall: Figures, relay: Figures) -> list[tuple[Target, float]]:
    """Every target with the value that mcpwall reached."""
    return [
        (ADDED, wall.added_us),
        (SHARE, wall.added_us / relay.added_us),
        (PER_SECOND, wall.per_second),
        (BLOB, wall.blob_ratio),
        (START, wall.added_start_ms),
        (ANSWERED, wall.sessions),
        (ENGINE, max(wall.engine_mb, wall.crowd_mb)),
        (SHIM, wall.process_mb),
    ]
