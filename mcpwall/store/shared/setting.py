"""`[store]`: the store that this wall shares with others. Without it, a wall is on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcpwall.store.forms import Reader, bad, table, text
from mcpwall.store.references import Secret, secret
from mcpwall.store.shared.address import SCHEMES, URL_FIX

PASSED_ON: Final = "MCPWALL_"  # how variables begin that an engine in the background is given


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where the shared store is. The URL may hold a password."""

    url: Secret


def _url(value: Any) -> Secret:
    """A URL, or a reference to one.

    An engine is given few of the variables of whoever starts it, which may be an agent.
    """
    if not text(value).startswith(("${", *SCHEMES)):
        raise bad(f"must begin with one of {', '.join(SCHEMES)}", URL_FIX)
    url = secret(value)
    for name in sorted(url.names):
        if not name.startswith(PASSED_ON):
            what = f"refers to {name}, which no engine gets that an agent or the app starts"
            raise bad(what, f"name it {PASSED_ON}{name}, or use ${{keyring:SERVICE/USER}}")
    return url


STORE: Final[Mapping[str, Reader]] = {"url": _url}


def store(value: Any) -> StoreConfig:
    """Read `[store]`. Raises BadValueError."""
    return StoreConfig(**table(STORE, "[store]", required=("url",))(value))


def loosened(old: StoreConfig | None, new: StoreConfig | None) -> tuple[str, ...]:
    """Sentences for what a change of the store could permit: another store has counted nothing."""
    if old is None or old == new:
        return ()
    if new is None:
        return ("calls would no longer be counted together with those of other walls",)
    return ("calls would be counted in another shared store",)
