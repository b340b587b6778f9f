"""What an agent did before: the state behind `after` and `repeat`, and the tests that look at it.

An agent is its process (`Call.run`), so what it did on one server counts on all others, and a new
connection forgets nothing. Only calls that were forwarded count. Each test says in words why it
holds; what can no longer be told apart counts as everything, so a bound never permits.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from mcpwall.model import TOOLS_CALL, After, Call, Reach, Reads, Risk
from mcpwall.policy.match import Names
from mcpwall.policy.seen import Before, Seen

KINDS_MAX: Final = 1_000  # kinds of calls that are told apart for one agent
RUNS_MAX: Final = 4_096  # agents; beyond them the one that was idle longest is forgotten
WITHIN_MAX_S: Final = 86_400
NO_PROCESS: Final = "/"  # how `Call.run` starts where an agent's process is not known
MEMO_MAX: Final = 10_000  # kinds that one rule has looked at
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = WITHIN_MAX_S * SECOND_NS
FOREVER_NS: Final = 1 << 62

# All by which `after` tells calls apart: server, method, tool, risk, reach, reads.
Kind: TypeAlias = tuple[str, str, str, Risk, Reach, tuple[Reads, ...]]


class Past:
    """What one agent did. `more` is the last call of a kind beyond KINDS_MAX."""

    __slots__ = ("digest", "ended", "kinds", "lasts_ns", "more", "times")

    def __init__(self, run: str) -> None:
        self.lasts_ns = DAY_NS if run.startswith(NO_PROCESS) else FOREVER_NS
        self.kinds: dict[Kind, Seen] = {}
        self.more: Seen | None = None
        self.digest = ""
        self.times = 0  # how often in a row the last call was made
        self.ended = False  # while it is restored: another call came before that row

    def see(self, kind: Kind, seen: Seen) -> Seen | None:
        """Remember a call that is newer than all that were seen of its kind.

        Returns the one that was remembered in its place.
        """
        before = self.kinds.get(kind)
        if before is None and len(self.kinds) >= KINDS_MAX:
            before, self.more = self.more, seen
        else:
            self.kinds[kind] = seen
        return before


class Flows:
    """What every agent did. One owner; `judge` only reads, `forwarded` is called on forward."""

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: dict[str, Past] = {}

    def past(self, run: str) -> Past | None:
        """What an agent did, None for nothing."""
        return self._runs.get(run)

    def forwarded(self, call: Call, now_ns: int) -> Before:
        """A call goes to its server now. Returns what `take_back` needs."""
        past = self._runs.get(call.run)
        if past is None:
            past = self.begin(call.run)
        kind = kind_of(call)
        before = Before(past.see(kind, Seen(call.id, now_ns)), past.digest, past.times)
        past.times = past.times + 1 if past.digest == call.digest else 1
        past.digest = call.digest
        return before

    def take_back(self, call: Call, before: Before) -> None:
        """A call did not go after all. Several are taken back the newest first."""
        past, kind = self._runs.get(call.run), kind_of(call)
        if past is None:
            return
        if kind not in past.kinds:
            past.more = before.seen
        elif before.seen is None:
            del past.kinds[kind]
        else:
            past.kinds[kind] = before.seen
        past.digest, past.times = before.digest, before.times

    def restore(self, run: str, kind: Kind, digest: str, seen: Seen) -> None:
        """A call of the past, from the audit, the newest first."""
        past = self._runs.get(run)
        if past is None:
            if len(self._runs) >= RUNS_MAX:
                return  # those that were idle longest come last
            past = self._runs[run] = Past(run)
            past.digest = digest
        past.ended = past.ended or past.digest != digest
        past.times += not past.ended
        if kind not in past.kinds and (past.more is None or len(past.kinds) < KINDS_MAX):
            past.see(kind, seen)

    def begin(self, run: str) -> Past:
        """An agent that was not heard of yet."""
        if len(self._runs) >= RUNS_MAX:
            idle = min(self._runs, key=lambda name: _last_ns(self._runs[name]))
            del self._runs[idle]
        past = self._runs[run] = Past(run)
        return past


def kind_of(call: Call) -> Kind:
    """All by which `after` tells this call from others."""
    return (call.server, call.method, call.tool, call.risk, call.reach, call.reads)


def _last_ns(past: Past) -> int:
    seen = [*past.kinds.values(), *([past.more] if past.more else ())]
    return max((one.at_ns for one in seen), default=0)


class Earlier:
    """A compiled `after`."""

    __slots__ = ("_after", "_memo", "_method", "_server", "_tool", "_within_ns")

    def __init__(self, after: After) -> None:
        """Raises GlobError for a pattern that cannot be read."""
        self._after = after
        self._server = Names(after.server)
        self._tool = Names(after.tool)
        self._method = Names(after.method or (TOOLS_CALL,))
        within_s = after.within_s
        self._within_ns = FOREVER_NS if within_s is None else round(within_s * SECOND_NS)
        self._memo: dict[Kind, bool] = {}

    def why(self, past: Past, now_ns: int) -> str | None:
        """The last call that matches, in words; None when there is none."""
        since_ns = now_ns - min(self._within_ns, past.lasts_ns)
        last: tuple[Seen, str] | None = None
        if past.more is not None and past.more.at_ns > since_ns:
            last = past.more, "one of very many tools"
        for kind, seen in past.kinds.items():
            newer = seen.at_ns > (since_ns if last is None else last[0].at_ns)
            if newer and self._matches(kind):
                last = seen, f"{kind[0]}.{kind[2]}"
        if last is None:
            return None
        seen, name = last
        return f"{name} was called {_ago(now_ns - seen.at_ns)}, in call {seen.call}"

    def _matches(self, kind: Kind) -> bool:
        known = self._memo.get(kind)
        if known is None:
            if len(self._memo) >= MEMO_MAX:
                self._memo.clear()
            known = self._memo[kind] = self._look(kind)
        return known

    def _look(self, kind: Kind) -> bool:
        server, method, tool, risk, reach, reads = kind
        after = self._after
        return (
            self._server.match(server)
            and self._method.match(method)
            and self._tool.match(tool)
            and (not after.risk or risk in after.risk)
            and (not after.reach or reach in after.reach)
            and (not after.reads or not set(after.reads).isdisjoint(reads))
        )


class Flow:
    """What a rule asks of the calls before: `after`, `repeat`, or both."""

    __slots__ = ("_earlier", "_repeat")

    def __init__(self, after: After | None, repeat: int | None) -> None:
        """Raises GlobError for a pattern that cannot be read."""
        self._earlier = Earlier(after) if after is not None else None
        self._repeat = repeat

    def why(self, call: Call, flows: Flows, now_ns: int) -> str | None:
        """Why the rule is about this call, in words; None when it is not."""
        past = flows.past(call.run)
        if past is None:
            return None
        reasons: list[str] = []
        if self._earlier is not None:
            earlier = self._earlier.why(past, now_ns)
            if earlier is None:
                return None
            reasons.append(earlier)
        if self._repeat is not None:
            if past.digest != call.digest or past.times < self._repeat:
                return None
            times = "time" if past.times == 1 else "times in a row"
            reasons.append(f"the same call was just made {past.times} {times}")
        return ", and ".join(reasons)


def _ago(duration_ns: int) -> str:
    """How long ago, in whole units: "just before", "40 s before", "2 minutes before"."""
    seconds = duration_ns // SECOND_NS
    if seconds < 1:
        return "just before"
    for name, length in (("hour", 3_600), ("minute", 60)):
        if count := seconds // length:
            return f"{count} {name}{'s' if count > 1 else ''} before"
    return f"{seconds} s before"
