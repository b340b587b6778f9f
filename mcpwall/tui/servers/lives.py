"""How it stands with a server, in words: up, down, ended, in trouble, started again. Pure.

`now_ms` and all times are milliseconds since the epoch; `zone` None means this machine's.
"""

from __future__ import annotations

import signal
from datetime import datetime
from typing import TYPE_CHECKING, Final

from mcpwall.text import width
from mcpwall.tui.timing import lasted, stamp
from mcpwall.tui.words import many

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from mcpwall.engine.port_servers import Ending, Life
    from mcpwall.engine.port_tools import ServerRow
    from mcpwall.tui.widgets.lines import Part

_SIGNAL: Final = 128  # an exit code above it is that of a signal, as shells count
_ENDLESS: Final = 1_000


def standing(server: ServerRow, now_ms: float, zone: tzinfo | None, room: int = _ENDLESS) -> Part:
    """In a few words, as many as there is room for: `down 14:01  exit 1, 2 restarts`."""
    life = server.life
    code = ""
    if life.trouble:
        word, style = f"trouble since {_moment(life.trouble_ms, now_ms, zone)}", "alarm"
    elif life.up_ms:
        word = "up" if server.transport != "http" or life.answered_ms else "open"
        word, style = f"{word} {lasted((now_ms - life.up_ms) / 1000)}", "ok"
    elif life.ended is None:
        word, style = "not running", "dim"
    elif life.ended.itself:
        word, style = f"down {_moment(life.ended.at_ms, now_ms, zone)}", "bad"
        code = f"  exit {life.ended.exit}"
    else:
        word, style = f"ended {_moment(life.ended.at_ms, now_ms, zone)}", "dim"
    again = _restarts(life, now_ms, zone)
    longest_first = (f"{word}{code}{f', {again}' if again else ''}", f"{word}{code}", word)
    shortest = word.partition(" since")[0]
    return (next((text for text in longest_first if width(text) <= room), shortest), style)


def story(server: ServerRow, now_ms: float, zone: tzinfo | None) -> list[tuple[str, str, str]]:
    """All that is known of it: for each thing a name, a raw text and a style."""
    life, told = server.life, []
    if life.up_ms:
        word, style = standing(server, now_ms, zone, 0)
        who = "one session" if server.sessions == 1 else f"{server.sessions} sessions, the oldest"
        told.append(("stands", f"{word}: {who} since {stamp(life.up_ms, zone)}", style))
    if life.trouble:
        since = f"since {stamp(life.trouble_ms, zone)}: {life.trouble}"
        told.append(("trouble", since, "alarm"))
    if life.answered_ms:
        told.append(("answered", f"last {stamp(life.answered_ms, zone)}", ""))
    if life.ended is not None:
        told.append(("ended", _ending(life.ended, zone), ""))
    if life.fell is not None and life.fell != life.ended:
        told.append(("went down", _ending(life.fell, zone), ""))
    if again := _restarts(life, now_ms, zone):
        last = stamp(life.restarts[-1], zone)
        told.append(("restarts", f"{again} today after it had gone down, last {last}", "warn"))
    return told


def exit_words(code: int) -> str:
    """What a process exited with: `exit 1`, `exit 137 (SIGKILL)`."""
    try:
        name = f" ({signal.Signals(code - _SIGNAL).name})" if code > _SIGNAL else ""
    except ValueError:  # no such signal
        name = ""
    return f"exit {code}{name}"


def _ending(ending: Ending, zone: tzinfo | None) -> str:
    how = ["by itself" if ending.itself else ending.why]
    how += [] if ending.exit is None else [exit_words(ending.exit)]
    return f"{stamp(ending.at_ms, zone)}, session of {ending.agent}: {', '.join(how)}"


def _restarts(life: Life, now_ms: float, zone: tzinfo | None) -> str:
    """How often it was started again today: `2 restarts`; "" for never."""
    today = _day(now_ms, zone)
    number = sum(_day(at_ms, zone) == today for at_ms in life.restarts)
    return many(number, "restart") if number else ""


def _moment(at_ms: int, now_ms: float, zone: tzinfo | None) -> str:
    """A time of today, or a day: `14:01`, `03-04`."""
    day, _, time = stamp(at_ms, zone).partition(" ")
    return time[:5] if _day(at_ms, zone) == _day(now_ms, zone) else day


def _day(at_ms: float, zone: tzinfo | None) -> date:
    return datetime.fromtimestamp(at_ms / 1000, zone).date()
