"""A first guess at what a tool can do at worst, from what its server says about it.

The name weighs most, then the verbs with which the description starts, then arguments that carry
code or choose an action. What a server claims can only raise the risk: `readOnlyHint` and a
harmless description never lower what the name says. A tool that says nothing is unknown and counts
as one that changes things.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from mcpwall.model import JsonObject, Risk
from mcpwall.policy import verbs

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_WORD_OR_COMMA = re.compile(rf"{_WORD.pattern}|,")
_SEVERITY = (Risk.READ, Risk.WRITE, Risk.EXECUTE, Risk.FINANCIAL, Risk.DESTRUCTIVE)
_JOINING = frozenset(("and", "or", "then"))
TEXT_MAX = 400  # characters of a description that are looked at
NAME_MAX = 200


class _Finding(NamedTuple):
    risk: Risk
    why: str


def classify(
    name: str, description: str, input_schema: JsonObject, annotations: JsonObject
) -> tuple[Risk, str]:
    """The risk of a tool, and one sentence that says why. Never raises, whatever the input."""
    words = [word.lower() for word in _WORD.findall(name[:NAME_MAX])]
    named = _from_name(words)
    found = [
        named,
        _from_description(description, named),
        _from_arguments(input_schema, description, named),
    ]
    best = _worst(finding for finding in found if finding is not None)
    if best is None:
        best = _Finding(Risk.UNKNOWN, "nothing in its name or description says what it does")
    elif best.risk in (Risk.WRITE, Risk.EXECUTE) and (money := verbs.MONEY.intersection(words)):
        best = _Finding(Risk.FINANCIAL, f'{best.why}, and it is about "{min(money)}"')
    return _raised(best, annotations)


def _from_name(words: list[str]) -> _Finding | None:
    """What the verbs of a name say: the first decides, and those joined to it by and/or."""
    if not words:
        return None
    if words[-1] in verbs.READING_NOUNS and all(
        word not in verbs.VERBS or (word in verbs.RUNS and words[-1] in verbs.RECORDS)
        for word in words[:-1]
    ):
        return _Finding(Risk.READ, f'its name says "{words[-1]}"')
    acting = [i for i, word in enumerate(words) if word in verbs.VERBS]
    certain = [i for i in acting if words[i] not in verbs.NOUNS]
    if not certain and (agent := _agent_noun(words[-1])):
        return _Finding(verbs.VERBS[agent], f'its name says "{words[-1]}"')
    # A verb that may be a noun counts in front of something: `tag_resource`, not `play_comment`.
    lead = next(
        (i for i in certain or acting if i in certain or i < len(words) - 1 or i == 0), None
    )
    if lead is None:
        return None
    joined = [
        i
        for i in acting
        if i > lead and (words[i - 1] in _JOINING or (i == lead + 1 and words[i] in verbs.SECOND))
    ]
    return _worst(
        _Finding(verbs.VERBS[words[i]], f'its name says "{words[i]}"') for i in [lead, *joined]
    )


def _agent_noun(word: str) -> str | None:
    """The verb in `reader` or `updater`."""
    if not word.endswith("er"):
        return None
    return next((stem for stem in (word[:-1], word[:-2]) if stem in verbs.VERBS), None)


def _from_description(description: str, named: _Finding | None) -> _Finding | None:
    """What the verbs say that a description starts with: "Lists, creates or deletes a tab"."""
    leading = list(_leading_verbs(description[:TEXT_MAX]))
    if named is not None:  # a clear name is only overruled by a clear verb
        leading = [(word, verb) for word, verb in leading if verb not in verbs.WEAK]
    return _worst(
        _Finding(verbs.VERBS[verb], f'its description starts with "{word}"')
        for word, verb in leading
    )


def _leading_verbs(text: str) -> Iterable[tuple[str, str]]:
    """The first verb of a text and those joined to it by commas, and, or."""
    expected = True  # a verb may stand here
    started = False
    for match in _WORD_OR_COMMA.finditer(text):
        word = match.group()
        if word == "," or word.lower() in _JOINING:
            expected = True
        elif len(word) > 1 and word.isupper():  # headings such as "IMPORTANT" or "START HERE"
            continue
        elif expected and (verb := _base_form(word.lower())) is not None:
            yield word, verb
            started, expected = True, False
        elif started or word.lower() not in verbs.FILLER:
            return


def _base_form(word: str) -> str | None:
    """The verb of which `word` is the base form, the third person or the -ing form."""
    forms = [word]
    if word.endswith("s"):
        forms += [word[:-1], word[:-2], f"{word[:-3]}y"]
    if word.endswith("ing"):
        forms += [word[:-3], f"{word[:-3]}e", word[:-4]]
    return next((form for form in forms if form in verbs.VERBS), None)


def _from_arguments(
    schema: JsonObject, description: str, named: _Finding | None
) -> _Finding | None:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return None
    found: list[_Finding] = []
    reads = named is not None and named.risk is Risk.READ
    names = {name.lower() for name in properties if isinstance(name, str)}
    if not reads and (code := names & verbs.CODE_ARGUMENTS):
        found.append(_Finding(Risk.EXECUTE, f'its argument "{min(code)}" carries code'))
    if (sql := names & verbs.SQL_ARGUMENTS) and "read-only" not in description.lower():
        found.append(_Finding(Risk.WRITE, f'its argument "{min(sql)}" carries SQL'))
    for name in sorted(names & verbs.CHOICE_ARGUMENTS):
        found += _from_choices(name, properties.get(name))
    return _worst(found)


def _from_choices(name: str, property_schema: Any) -> Iterable[_Finding]:
    choices = property_schema.get("enum") if isinstance(property_schema, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        words = [word.lower() for word in _WORD.findall(str(choice)[:NAME_MAX])]
        finding = _from_name(words)
        if finding is not None and finding.risk is not Risk.READ:
            yield _Finding(finding.risk, f'its argument "{name}" can be "{choice}"')


def _raised(finding: _Finding, annotations: JsonObject) -> tuple[Risk, str]:
    """A finding, raised by what the server itself says."""
    hints = annotations if isinstance(annotations, dict) else {}
    if hints.get("destructiveHint") is True and hints.get("readOnlyHint") is not True:
        if finding.risk in (Risk.READ, Risk.WRITE, Risk.UNKNOWN):
            return Risk.DESTRUCTIVE, "its server says that it can destroy things"
    elif hints.get("readOnlyHint") is False and finding.risk is Risk.READ:
        return Risk.WRITE, "its server says that it does not only read"
    return finding.risk, finding.why


def _worst(findings: Iterable[_Finding]) -> _Finding | None:
    return max(findings, key=lambda finding: _SEVERITY.index(finding.risk), default=None)
