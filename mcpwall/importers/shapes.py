"""Forms that both policy formats share, as readers in the manner of `store.forms`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mcpwall.importers.outcome import PolicyError
from mcpwall.store import forms
from mcpwall.store.forms import BadValueError, Problem, Reader

VERSION: Final = forms.choice(["1"])
DEFAULT: Final = forms.choice(["allow", "deny"])
# name of a window -> how a rule writes it
WINDOWS: Final[Mapping[str, int | str]] = {"minute": 60, "hour": "1h", "day": "1d"}
WINDOW: Final = forms.choice(WINDOWS)


def list_of(reader: Reader) -> Callable[[Any], list[Any]]:
    """A reader of lists whose elements `reader` reads."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise forms.bad(f"must be a list, not {forms.kind(value)}")
        found: list[Any] = []
        problems: list[Problem] = []
        for number, inner in enumerate(value):
            try:
                found.append(reader(inner))
            except BadValueError as error:
                problems += [problem.under(str(number)) for problem in error.problems]
        if problems:
            raise BadValueError(*problems)
        return found

    return read


def name(value: Any) -> str:
    """A text that is not empty."""
    if not forms.text(value).strip():
        raise forms.bad("is empty", "give a name")
    return str(value)


CONDITION: Final = forms.table(
    {"path": name, "op": name, "value": forms.plain},
    "a condition",
    required=("path", "op", "value"),
)


def read(reader: Reader, document: Any) -> Any:
    """What `reader` makes of a document. Raises PolicyError with the first thing that is wrong."""
    try:
        return reader(document)
    except BadValueError as error:
        first, *rest = error.problems
        more = f" ({len(rest)} more like this)" if rest else ""
        raise PolicyError(_said(first) + more) from None


def _said(problem: Problem) -> str:
    place = ".".join(map(str, problem.path))
    if problem.subject is None and place:
        text = f"{place}: {problem.what}"
    else:
        text = (
            f"{place or 'the policy'} {problem.what}" if problem.subject == "" else problem.text()
        )
    return f"{text}; {advice}" if (advice := problem.advice()) else text
